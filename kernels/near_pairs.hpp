#pragma once

#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::kernels {

/// A row and a query near each other, by their numbers in what was searched.
struct NearPair {
    std::int32_t row = 0;
    std::int32_t query = 0;
    float squared = 0.0F;  ///< their canonical squared distance
};

/// Appends every pair of a row and a query whose canonical squared distance is below
/// limits[query], on the calling thread of the CPU. Which pairs and which distances does not depend
/// on the instruction set; their order does.
void append_near_pairs(MatrixView rows, MatrixView queries, std::span<const float> limits,
                       std::vector<NearPair>& found);

}  // namespace sluice::kernels
