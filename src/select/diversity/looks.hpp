#pragma once

#include "kernels/device_variances.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Looks of a linear model at rows, in their order: a look of direction m [D] and variance v takes
/// (x'm)^2 / v off the variance of every row x.
class Looks {
  public:
    explicit Looks(std::int64_t dim) : dim_(dim) {}

    void add(std::span<const double> direction, double variance);

    std::int64_t dim() const { return dim_; }
    std::int32_t count() const { return static_cast<std::int32_t>(variances_.size()); }
    const double* direction(std::int32_t look) const { return directions_.data() + look * dim_; }
    double variance(std::int32_t look) const { return variances_[static_cast<std::size_t>(look)]; }

    kernels::LookView view() const { return {directions_, variances_}; }

    /// m / sqrt(v) of the looks from `first` on in float32, [.., D], and their lengths, rounded up.
    const float* scaled(std::int32_t first) const { return scaled_.data() + first * dim_; }
    const float* lengths(std::int32_t first) const { return lengths_.data() + first; }

  private:
    std::int64_t dim_;
    std::vector<double> directions_;
    std::vector<double> variances_;
    std::vector<float> scaled_;
    std::vector<float> lengths_;
};

}  // namespace sluice::select
