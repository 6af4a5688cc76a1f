#pragma once

#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace sluice::kernels {

/// Looks of a linear model, in their order: a look of direction m and divisor v takes (x m)^2 / v
/// off the variance of every row x.
struct LookView {
    std::span<const double> directions;  ///< [looks, dim]
    std::span<const double> divisors;    ///< [looks]
};

/// Rows in the memory of a GPU whose variances fall.
class DeviceVariances {
  public:
    virtual ~DeviceVariances() = default;

    /// variances[i], of row picked[i] after the first seen[i] looks, is brought up to date in
    /// float64: each product one chain of sums, each operation rounded, as row_products and
    /// take_off_squares do. `seen` ascends. The looks begin with those of earlier calls. One
    /// thread at a time.
    virtual void refresh(std::span<const std::int64_t> picked, std::span<const std::int32_t> seen,
                         const LookView& looks, std::span<double> variances) const = 0;
};

/// Null if the device has no memory for the rows. Throws Error(unavailable) in a build without
/// CUDA, or if the device fails.
std::unique_ptr<DeviceVariances> make_device_variances(MatrixView rows);

}  // namespace sluice::kernels
