#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace sluice::labels {

/// Some of the labels of a directory of generations, or of one labels file.
struct LabelSource {
    std::string path;
    std::int64_t first_round = 0;  ///< labels of these rounds only; a file without `round` counts
    std::int64_t last_round = std::numeric_limits<std::int64_t>::max();  ///< as round 0
    float pseudo_weight = 0.0F;  ///< of a committee's own labels in training; 0 = they are labels
};

}  // namespace sluice::labels
