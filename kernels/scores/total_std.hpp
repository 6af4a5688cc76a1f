#pragma once

#include "kernels/component_spread.hpp"
#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Standard deviation of the mixture of the members' normal distributions, the largest component:
/// the root of the variance of their means (divisor M) and the mean of their variances.
/// \source Lakshminarayanan, Pritzel and Blundell, "Simple and Scalable Predictive Uncertainty
///         Estimation using Deep Ensembles", NeurIPS 2017, section 2.4.
struct TotalStd {
    static constexpr std::string_view name = "total_std";
    static constexpr std::array<std::string_view, 2> aliases = {"total_deviation",
                                                                "predictive_std"};
    static constexpr std::string_view summary =
        "root of the variance of means and the mean variance, largest component; >= 0";
    static constexpr std::array inputs = {ScoreInput::gaussian_predictions};
    static constexpr std::int64_t min_members = 1;
    static constexpr std::int64_t min_classes = 1;

    template <class Value>
    SLUICE_LANE Value of_gaussian_predictions(const RowView<Value>& row) const {
        const std::int64_t components = row.classes / 2;
        Value largest{0.0F};
        Value finite{0.0F};
        for (std::int64_t t = 0; t < components; ++t) {
            const Value disagreement = member_std(row, t, finite);
            const Value noise = mean_noise_std(row, components + t, finite);
            largest = larger(largest, hypotenuse(disagreement, noise));
        }
        return nan_unless(equal(finite, Value(0.0F)), largest);
    }
};

static_assert(RowScore<TotalStd>);

}  // namespace sluice::kernels
