#pragma once

#include "kernels/component_spread.hpp"
#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Standard deviation of the members' predictions (population form, divisor M), the largest over
/// the components of a vector prediction. Members agree: 0.
/// \source Seung, Opper and Sompolinsky, "Query by Committee", COLT 1992, for regression as in
///         Burbidge, Rowland and King, IDEAL 2007.
struct CommitteeStd {
    static constexpr std::string_view name = "committee_std";
    static constexpr std::array<std::string_view, 4> aliases = {
        "std", "qbc_std", "committee_deviation", "model_deviation"};
    static constexpr std::string_view summary =
        "standard deviation over members, largest component; >= 0, unit of the prediction";
    static constexpr std::array inputs = {ScoreInput::predictions,
                                          ScoreInput::gaussian_predictions};
    static constexpr std::int64_t min_members = 2;
    static constexpr std::int64_t min_classes = 1;

    template <class Value>
    SLUICE_LANE Value of_predictions(const RowView<Value>& row) const {
        Value largest{0.0F};
        Value finite{0.0F};
        for (std::int64_t t = 0; t < row.classes; ++t)
            largest = larger(largest, member_std(row, t, finite));
        return nan_unless(equal(finite, Value(0.0F)), largest);
    }

    /// The variances say nothing of how far the members agree.
    template <class Value>
    SLUICE_LANE Value of_gaussian_predictions(const RowView<Value>& row) const {
        const std::int64_t components = row.classes / 2;
        Value largest{0.0F};
        Value finite{0.0F};
        for (std::int64_t t = 0; t < components; ++t) {
            largest = larger(largest, member_std(row, t, finite));
            mean_noise_std(row, components + t, finite);
        }
        return nan_unless(equal(finite, Value(0.0F)), largest);
    }
};

static_assert(RowScore<CommitteeStd>);

}  // namespace sluice::kernels
