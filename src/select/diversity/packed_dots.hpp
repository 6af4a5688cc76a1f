#pragma once

#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Rows laid out for dot products in float64 with one vector after the other: each is one chain of
/// sums over k, so a row's result depends on nothing but the row and the vector. Of float32
/// numbers the products are exact and only the sums round.
class PackedDots {
  public:
    /// Copies `rows`.
    explicit PackedDots(kernels::MatrixView rows);

    std::int64_t rows() const { return num_rows_; }

    /// out[i] = sum over k ascending of rows[i][k] * vector[k], on `num_threads` threads.
    void dot(std::span<const double> vector, std::span<double> out, int num_threads) const;

  private:
    std::int64_t num_rows_;
    std::int64_t dim_;
    kernels::AlignedFloats panels_;
};

/// The dot product of two vectors, one chain in float64.
double dot(std::span<const double> x, std::span<const double> y);

/// A vector of float32 in float64.
std::vector<double> widened(std::span<const float> values);

}  // namespace sluice::select
