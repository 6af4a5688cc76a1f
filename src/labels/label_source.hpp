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
};

}  // namespace sluice::labels
