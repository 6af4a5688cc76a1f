#pragma once

#include "comm/communicator.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Weights as whole numbers: 2^20 for the largest of all ranks, at least 1 for one above 0; all 1
/// if none is above 0. The weights must be finite and not negative. \collective
std::vector<std::int64_t> whole_weights(std::span<const float> weights, comm::Communicator& world);

/// Weighted sums of rows in whole numbers, which are the same in any order and so for any number of
/// ranks. A feature is rounded to a multiple of its own step, a power of two: the largest magnitude
/// of that feature over all rows has `bits` binary digits, so that a mean is off by at most
/// 2^-bits of that magnitude.
class FixedPoint {
  public:
    /// `num_rows` of all ranks together, at most 2^26. \collective
    FixedPoint(kernels::MatrixView features, std::int64_t num_rows, comm::Communicator& world);

    /// sums[k] += weight * x[k], weight <= 2^20; no sum over all rows overflows.
    void add(const float* x, std::int64_t weight, std::int64_t* sums) const;

    /// The mean of rows of this sum and this sum of weights.
    void mean(const std::int64_t* sums, std::int64_t weight, float* result) const;

    int bits() const { return bits_; }

  private:
    int bits_;
    std::vector<double> scale_;  ///< [D] one over the step
};

}  // namespace sluice::select
