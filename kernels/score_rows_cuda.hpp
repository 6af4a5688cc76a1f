#pragma once

#include "kernels/score_rows.hpp"

#include <cstddef>
#include <memory>

namespace sluice::kernels {

/// The scorer for score `index` of kernels/scores/list.hpp on the current CUDA device.
/// Throws Error(unavailable) in a build without CUDA, or if the device fails.
std::unique_ptr<Scorer> make_scorer_cuda(std::size_t index);

namespace cuda {
class Stream;
}

/// Queues the scores of a block whose values lie on the device, as `scores` do. In builds with CUDA
/// only.
void score_on_device(std::size_t index, const ScoreBlock& block, float* scores,
                     const cuda::Stream& stream);

}  // namespace sluice::kernels
