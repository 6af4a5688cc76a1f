#pragma once

#include "labels/training_set_builder.hpp"
#include "model/training_set.hpp"

#include <cstddef>
#include <vector>

namespace sluice::campaign {

/// The bytes of the one labels file that a trainer reads: row [L], id [L], round [L], features
/// [L,D], inputs [L,P] if they are known, y [L] classes or [L,T] float64; with pseudo-labels among
/// them weight [L] and pseudo [L], 1 = a pseudo-label.
std::vector<std::byte> trainer_labels_image(const model::TrainingSet& set,
                                            const labels::LabeledItems& items);

}  // namespace sluice::campaign
