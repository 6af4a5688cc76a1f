#pragma once

#include "model/train.hpp"
#include "model/training_set.hpp"
#include "pool/archive.hpp"

// What travels between ranks as bytes; pool::pack and pool::unpack find these.

namespace sluice::model {

template <typename Archive>
void transfer(Archive& archive, Layer& layer) {
    transfer(archive, layer.inputs);
    transfer(archive, layer.outputs);
    transfer(archive, layer.activation);
    transfer(archive, layer.weight);
    transfer(archive, layer.bias);
}

template <typename Archive>
void transfer(Archive& archive, TrainedNetwork& trained) {
    transfer(archive, trained.network.layers);
    transfer(archive, trained.history.training_loss);
    transfer(archive, trained.history.validation_loss);
    transfer(archive, trained.history.best_epoch);
}

template <typename Archive>
void transfer(Archive& archive, TrainingSet& set) {
    transfer(archive, set.task);
    transfer(archive, set.dim);
    transfer(archive, set.outputs);
    transfer(archive, set.rows);
    transfer(archive, set.features);
    transfer(archive, set.classes);
    transfer(archive, set.targets);
    transfer(archive, set.pseudo);
    transfer(archive, set.target_names);
    transfer(archive, set.target_units);
    transfer(archive, set.source);
}

}  // namespace sluice::model
