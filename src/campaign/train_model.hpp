#pragma once

#include "comm/communicator.hpp"
#include "labels/label_source.hpp"
#include "model/held_out.hpp"
#include "model/train.hpp"
#include "pool/pool.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What `sluice train` was asked for.
struct TrainRequest {
    enum class HeadChoice {
        by_labels,  ///< softmax for classes, squares for numbers
        given       ///< options.head
    };

    std::vector<labels::LabelSource> labels;
    pool::PoolSource pool;         ///< without files: none
    std::int64_t num_classes = 0;  ///< 0 = the largest class seen + 1
    HeadChoice head = HeadChoice::by_labels;
    model::TrainOptions options;
    std::int64_t loss_folds = 0;  ///< of a loss head; 0 = none
    std::string model_path;
    std::string json_path;   ///< empty = none
    std::string curve_path;  ///< empty = none
};

/// What came of it.
struct TrainReport {
    std::int64_t num_labels = 0;
    model::Committee committee;
    std::string head;
    model::HeldOutQuality quality;
    std::string model_path;
    std::string model_hash;
    double seconds = 0.0;
};

/// Reads labels, trains over all ranks and publishes the model, the report as JSON and the learning
/// curve; the report on all ranks. Throws AgreedError: what read_training_set and train_over_ranks
/// say; try_again after a stop signal, and then nothing was written. \collective
TrainReport train_model(const TrainRequest& request, comm::Communicator& world);

/// The lines that `sluice train` prints.
std::string train_text(const TrainReport& report);

/// The same as JSON.
std::string train_json(const TrainReport& report);

/// Every epoch of every net: member,epoch,training_loss,validation_loss,kept.
std::string curve_csv(const model::Committee& committee);

}  // namespace sluice::campaign
