#pragma once

#include "kernels/score_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace sluice::kernels {

/// The scorer for score `index` of kernels/scores/list.hpp on the current CUDA device.
/// Throws Error(unavailable) in a build without CUDA, or if the device fails.
std::unique_ptr<Scorer> make_scorer_cuda(std::size_t index);

namespace cuda {
class Stream;
}

/// Where a block's scores go, on the device.
struct ScoreTarget {
    float* scores;  ///< [rows]
    float* tile;    ///< score_tile_floats() of working memory
    const cuda::Stream& stream;
};

/// Working memory for a block of this shape with `num_rows` rows. In builds with CUDA only.
std::int64_t score_tile_floats(const ScoreBlock& block, std::int64_t num_rows);

/// Queues the scores of a block whose values lie on the device, on a multiple of 16 bytes. In
/// builds with CUDA only.
void score_on_device(std::size_t index, const ScoreBlock& block, const ScoreTarget& target);

}  // namespace sluice::kernels
