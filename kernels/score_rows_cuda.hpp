#pragma once

#include "kernels/score_rows.hpp"

#include <cstddef>
#include <memory>

namespace sluice::kernels {

/// The scorer for score `index` of kernels/scores/list.hpp on the current CUDA device.
/// Throws Error(unavailable) in a build without CUDA, or if the device fails.
std::unique_ptr<Scorer> make_scorer_cuda(std::size_t index);

}  // namespace sluice::kernels
