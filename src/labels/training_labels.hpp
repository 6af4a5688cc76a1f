#pragma once

#include "comm/communicator.hpp"
#include "labels/label_source.hpp"
#include "model/training_set.hpp"
#include "pool/pool.hpp"

#include <cstdint>
#include <vector>

namespace sluice::labels {

/// The labels of all sources as a training set: ascending by row, each row once (the first source
/// that has it counts), missing labels (-1, NaN) left out. Features come from the label files, or,
/// where those have none, from `pool` (may be null). Integer `y` are classes, others targets.
/// `num_classes` = 0: the largest class seen + 1. Rank 0 reads, all ranks get the set.
/// Throws AgreedError: no_input for a missing path, bad_data naming file, dataset, row and value
/// for a class outside [0, num_classes), a target or feature that is not finite, widths that
/// differ. \collective
model::TrainingSet read_training_set(const std::vector<LabelSource>& sources,
                                     const pool::Pool* pool, std::int64_t num_classes,
                                     comm::Communicator& world);

}  // namespace sluice::labels
