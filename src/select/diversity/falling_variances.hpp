#pragma once

#include "kernels/device_variances.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sluice::select {

/// Variances x' M x of rows x, which lag behind a list of looks: each takes (x'm)^2 / v off, so
/// that a variance which does not account for the last looks is an upper bound of the true one.
/// Looks come off a row in their order, whenever that happens.
class FallingVariances {
  public:
    /// `variances` [rows], before any look. With a device that holds the rows it brings them up to
    /// date, to the same bits.
    FallingVariances(kernels::MatrixView rows, std::vector<double> variances, int num_threads,
                     std::unique_ptr<kernels::DeviceVariances> device = nullptr);

    double of(std::int64_t local) const { return variances_[static_cast<std::size_t>(local)]; }
    bool is_fresh(std::int64_t local) const {
        return seen_[static_cast<std::size_t>(local)] == num_looks();
    }

    /// One more look, of direction m [D] and variance v.
    void add_look(std::span<const double> direction, double variance);

    /// Brings these rows up to date.
    void refresh(std::span<const std::int64_t> locals);

    /// A row's variance, up to date by what somebody else has taken off.
    void set(std::int64_t local, double variance);

  private:
    std::int32_t num_looks() const { return static_cast<std::int32_t>(look_variances_.size()); }
    std::vector<std::int64_t> sorted_by_seen(std::span<const std::int64_t> locals) const;
    void refresh_on_device(std::span<const std::int64_t> sorted);
    void lower_tile(std::span<const std::int64_t> locals, std::span<const std::int64_t> next);
    void fetch_early(std::span<const std::int64_t> locals) const;

    kernels::MatrixView rows_;
    std::vector<double> variances_;
    std::vector<std::int32_t> seen_;  // [rows] looks that the variance accounts for
    std::vector<double> directions_;  // [looks, D]
    std::vector<double> look_variances_;
    int num_threads_;
    std::unique_ptr<kernels::DeviceVariances> device_;
};

}  // namespace sluice::select
