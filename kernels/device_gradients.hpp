#pragma once

#include "kernels/nearest_center.hpp"

#include <memory>
#include <span>

namespace sluice::kernels {

/// Gradients q x of a last layer, which are never built: their parts, and their squared lengths.
struct GradientView {
    MatrixView errors;              ///< [rows, C] q
    MatrixView features;            ///< [rows, D] x
    std::span<const double> norms;  ///< [rows]
};

/// Gradients in the memory of a GPU.
class DeviceGradients {
  public:
    virtual ~DeviceGradients() = default;

    /// spreads[i] = min(spreads[i], min over j of max(0, |g_i|^2 + |p_j|^2 - 2 (q_i q_j)(x_i x_j)))
    /// for picks p, in float64: the squared distance to the nearest pick, each product one chain.
    virtual void lower(const GradientView& picks, std::span<double> spreads) const = 0;
};

/// Null if the device has no memory for them. Throws Error(unavailable) in a build without CUDA, or
/// if the device fails.
std::unique_ptr<DeviceGradients> make_device_gradients(const GradientView& rows);

}  // namespace sluice::kernels
