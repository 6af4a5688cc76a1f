#pragma once

#include "comm/communicator.hpp"
#include "model/train.hpp"
#include "model/training_set.hpp"

namespace sluice::campaign {

/// Trains the nets of a committee, net m on rank m % size, and puts them together; the same
/// committee on all ranks, bit for bit the same for any number of ranks. Shows progress; stops with
/// AgreedError(try_again) after a stop signal. \collective
model::Committee train_over_ranks(const model::TrainingSet& set, const model::TrainOptions& options,
                                  comm::Communicator& world);

}  // namespace sluice::campaign
