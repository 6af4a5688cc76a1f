#pragma once

#include "kernels/aligned_floats.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <cstdint>

namespace sluice::bench {

/// Rows of a packed group.
constexpr std::int64_t rows_of_group = 64;

/// Lays rows [num_rows, dim] out in groups of 64, each transposed: a loop over 64 rows side by side
/// then reads memory from front to back. The last row stands in for those that the last group
/// lacks. Returns the number of groups.
inline std::int64_t pack_groups(const float* rows, std::int64_t num_rows, std::int64_t dim,
                                int num_threads, kernels::AlignedFloats& packed) {
    const std::int64_t num_groups = (num_rows + rows_of_group - 1) / rows_of_group;
    float* const values = packed.reserve(num_groups * rows_of_group * dim);
    kernels::parallel_for(num_threads, num_groups, [&](std::int64_t g) {
        for (std::int64_t k = 0; k < dim; ++k) {
            for (std::int64_t j = 0; j < rows_of_group; ++j) {
                const std::int64_t row = std::min(g * rows_of_group + j, num_rows - 1);
                values[(g * dim + k) * rows_of_group + j] = rows[row * dim + k];
            }
        }
    });
    return num_groups;
}

}  // namespace sluice::bench
