#pragma once

#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace sluice::kernels {

/// Rows in the memory of a GPU.
class DeviceRows {
  public:
    virtual ~DeviceRows() = default;

    /// relax_nearest_of for these rows; centres are told apart.
    virtual void relax(std::span<const std::int64_t> picked, MatrixView centers,
                       const NearestCenters& nearest) const = 0;

    /// The same for all rows.
    virtual void relax_all(MatrixView centers, const NearestCenters& nearest) const = 0;
};

/// Copies the rows to the device, as many of the first ones as it has memory for; the others are
/// sent whenever they are needed, so `rows` must outlive this. Throws Error(unavailable) in a build
/// without CUDA, or if the device fails or has not even memory for a few rows.
std::unique_ptr<DeviceRows> make_device_rows(MatrixView rows);

/// Rows that many calls of relax_nearest_of are made for: on the GPU they stay there in between.
class ResidentRows {
  public:
    /// `rows` must outlive this.
    ResidentRows(Backend backend, MatrixView rows) : rows_(rows) {
        if (backend == Backend::cuda && rows.rows > 0) device_ = make_device_rows(rows);
    }

    void relax_nearest_of(std::span<const std::int64_t> picked, MatrixView centers,
                          const NearestCenters& nearest, int num_threads) const {
        if (device_ == nullptr) {
            kernels::relax_nearest_of(Backend::cpu, rows_, picked, centers, nearest, num_threads);
        } else if (!picked.empty() && centers.rows > 0) {
            device_->relax(picked, centers, nearest);
        }
    }

    /// The same for all rows, whose centres are not told apart.
    void relax_nearest(MatrixView centers, std::span<float> nearest, int num_threads) const {
        if (device_ == nullptr) {
            kernels::relax_nearest(Backend::cpu, rows_, centers, nearest, num_threads);
        } else if (centers.rows > 0) {
            device_->relax_all(centers, {nearest, {}, 0});
        }
    }

  private:
    MatrixView rows_;
    std::unique_ptr<DeviceRows> device_;
};

}  // namespace sluice::kernels
