#pragma once

#include "comm/communicator.hpp"
#include "model/train.hpp"
#include "model/training_set.hpp"

#include <cstdint>

namespace sluice::campaign {

/// Trains the nets of a committee, net m on rank m % size, and puts them together; the same
/// committee on all ranks, bit for bit the same for any number of ranks. Shows progress; stops with
/// AgreedError(try_again) after a stop signal. \collective
model::Committee train_over_ranks(const model::TrainingSet& set, const model::TrainOptions& options,
                                  comm::Communicator& world);

/// Trains a loss head (see model/loss_head.hpp) on the losses that the nets of `num_folds` folds
/// make of the labels they have not seen, and adds it to the committee that was trained on `set`
/// with `options`; likewise. A committee of folds is its own. Throws AgreedError: usage for fewer
/// than 2 folds, bad_data for fewer labels than twice the folds. \collective
void train_loss_head(const model::TrainingSet& set, const model::TrainOptions& options,
                     std::int64_t num_folds, model::Committee& committee,
                     comm::Communicator& world);

}  // namespace sluice::campaign
