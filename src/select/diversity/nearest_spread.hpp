#pragma once

#include "kernels/device_rows.hpp"
#include "select/diversity.hpp"
#include "select/diversity/race_rounds.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Squared distances of rows to the nearest centre or pick.
class NearestSpread : public Spread {
  public:
    /// `nearest` [rows], to the centres.
    NearestSpread(kernels::MatrixView features, std::vector<float> nearest,
                  const DiversityOptions& options);

    std::int64_t width() const override { return features_.dim; }
    void tell(std::int64_t local, float* to) const override;
    double of(std::int64_t local) const override {
        return nearest_[static_cast<std::size_t>(local)];
    }
    void add_pick(std::span<const float> told) override;
    std::int64_t num_pending() const override { return std::ssize(pending_) / width(); }
    void refresh() override;
    void lower(std::span<const float> told, std::span<const std::int64_t> which, std::int64_t first,
               std::span<double> spreads) const override;
    float value(double spread) const override;

  private:
    kernels::MatrixView pending() const { return {pending_.data(), num_pending(), width()}; }
    void lower_tile(std::span<const float> told, std::span<const std::int64_t> which,
                    std::span<const std::int32_t> chosen, std::span<double> spreads) const;

    kernels::MatrixView features_;
    const DiversityOptions& options_;
    kernels::ResidentRows resident_;
    std::vector<float> nearest_;  // [rows]
    std::vector<float> pending_;  // [pending, D]
};

}  // namespace sluice::select
