#pragma once

#include "model/train.hpp"
#include "model/training_set.hpp"

#include <cstdint>
#include <vector>

namespace sluice::model {

/// Which labels a member is trained on and which judge it; entries of a TrainingSet, ascending.
/// With Resample::bootstrap an entry may stand in `training` more than once.
struct TrainingParts {
    std::vector<std::int64_t> training;
    std::vector<std::int64_t> held_out;
};

/// Rows are held out in the order of a random number of (seed, row): the same rows for all members
/// and rounds as long as the set stays the same, and mostly the same when it grows. With
/// Resample::k_fold the held-out part is the member's fold.
TrainingParts training_parts(const TrainingSet& set, const TrainOptions& options,
                             std::int64_t member);

/// How many labels are held out of each member that is not a fold's: none if they were too few to
/// judge by.
std::int64_t num_held_out(std::int64_t labels, double share);

/// Puts the entries of `training` in the order of one epoch, a function of (seed, epoch, row).
/// `seed` is the member's.
void shuffle_for_epoch(const TrainingSet& set, std::uint64_t seed, std::int64_t epoch,
                       std::vector<std::int64_t>& training);

}  // namespace sluice::model
