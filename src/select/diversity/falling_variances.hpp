#pragma once

#include "kernels/device_variances.hpp"
#include "kernels/nearest_center.hpp"
#include "select/diversity/looks.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sluice::select {

/// Variances x' M x of rows x, which lag behind a list of looks. Looks come off a row's variance in
/// float64 and in their order, whenever that happens, so that it has the same bits in the end. A
/// bound of it in between is never below: what float32 products take off for certain.
class FallingVariances {
  public:
    /// What is known of a row.
    struct State {
        double value = 0.0;  ///< after the first `seen` looks
        double bound = 0.0;  ///< at least what it is after the first `bound_seen` looks
        double slack = 0.0;  ///< about how much less that may be
        std::int32_t seen = 0;
        std::int32_t bound_seen = 0;
        float error = 0.0F;  ///< of the float32 product with a vector of length 1, at most
    };

    /// `states` [rows]. Rows and looks have to stay. With a device that holds the rows, variances
    /// come up to date there, to the same bits, and need no other bounds.
    FallingVariances(kernels::MatrixView rows, const Looks& looks, std::span<const State> states,
                     int num_threads, std::unique_ptr<kernels::DeviceVariances> device = nullptr);

    /// The state of a row before any look: its variance and |x|^2, in float64.
    static State state_of(double variance, double squared_length, std::int64_t dim);

    State state(std::int64_t local) const;
    void set_state(std::int64_t local, const State& state);
    double value(std::int64_t local) const { return values_[static_cast<std::size_t>(local)]; }
    double bound(std::int64_t local) const { return bounds_[static_cast<std::size_t>(local)]; }

    /// Whether the variance, or its bound, accounts for all looks.
    bool is_exact(std::int64_t local) const { return is_last(seen_, local); }
    bool is_tight(std::int64_t local) const { return is_last(bound_seen_, local); }

    /// Whether a tight bound may well be much too high.
    bool is_vague(std::int64_t local) const;

    /// The bounds of these rows account for all looks. Returns the vague ones among them.
    std::vector<std::int64_t> tighten(std::span<const std::int64_t> locals);

    /// The variances of these rows account for all looks, and are their bounds.
    void refresh(std::span<const std::int64_t> locals);

    /// A row's variance, up to date by what somebody else has taken off.
    void set(std::int64_t local, double variance);

  private:
    bool is_last(const std::vector<std::int32_t>& seen, std::int64_t local) const {
        return seen[static_cast<std::size_t>(local)] == looks_.count();
    }
    bool suit_device(std::span<const std::int64_t> locals) const;
    void refresh_on_device(std::span<const std::int64_t> locals);
    void take_off(std::int64_t local, double least, double likely);
    std::vector<std::int64_t> sorted(std::span<const std::int64_t> locals,
                                     const std::vector<std::int32_t>& seen) const;
    void lower_bounds(std::span<const std::int64_t> locals, std::span<const std::int64_t> next);
    void lower_values(std::span<const std::int64_t> locals, std::span<const std::int64_t> next);

    kernels::MatrixView rows_;
    const Looks& looks_;
    int num_threads_;
    std::unique_ptr<kernels::DeviceVariances> device_;
    // [rows] each, the parts of their states.
    std::vector<double> values_;
    std::vector<double> bounds_;
    std::vector<double> slacks_;
    std::vector<std::int32_t> seen_;
    std::vector<std::int32_t> bound_seen_;
    std::vector<float> errors_;
};

}  // namespace sluice::select
