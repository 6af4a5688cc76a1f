#pragma once

#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace sluice::kernels {

/// Rows of a pool that other rows are compared with.
struct SampleView {
    MatrixView features;
    std::span<const float> norms;           ///< [rows] squared
    std::span<const std::int64_t> numbers;  ///< [rows] in the pool
};

/// A sample in the memory of a GPU. Immutable, so any number of threads may call it.
class DeviceSample {
  public:
    static constexpr std::int64_t num_found = 40;

    virtual ~DeviceSample() = default;

    /// found [rows, num_found] = the places in the sample of those rows with the least
    /// |y|^2 - 2 x y, in float32 and one FMA chain for each product, nearest first, of equal ones
    /// the lower place; -1 where there are no more. Row i has number first + i, and is not near to
    /// itself.
    virtual void search(MatrixView rows, std::int64_t first,
                        std::span<std::int32_t> found) const = 0;
};

/// Throws Error(unavailable) in a build without CUDA, or if the device fails or lacks memory.
std::unique_ptr<DeviceSample> make_device_sample(const SampleView& sample);

}  // namespace sluice::kernels
