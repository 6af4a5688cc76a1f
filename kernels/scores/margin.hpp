#pragma once

#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// 1 - (p1 - p2), p1 and p2 the two largest class probabilities: 0 (certain) to 1 (tied).
/// Computed as (1 - p1) + p2, which does not cancel.
/// \source Scheffer et al., "Active Hidden Markov Models for Information Extraction", IDA 2001.
struct Margin {
    static constexpr std::string_view name = "margin";
    static constexpr std::array<std::string_view, 6> aliases = {
        "margin_sampling", "sm", "BreakingTies", "breaking_ties", "uncertainty_margin", "bvsb"};
    static constexpr std::string_view summary =
        "1 - (largest - second largest class probability); 0 to 1";
    static constexpr auto inputs = class_inputs;
    static constexpr std::int64_t min_members = 1;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_probabilities(const RowView<Value>& row) const {
        const TopOfRow<Value> top = top_of_probabilities(row);
        return nan_unless(top.valid, (Value(1.0F) - top.top.first) + top.top.second);
    }

    template <class Value>
    SLUICE_LANE Value of_logits(const RowView<Value>& row) const {
        const SoftmaxSums<Value> sums = softmax_sums(row);
        return nan_unless(sums.valid, of_softmax(sums));
    }
    template <class Value>
    SLUICE_LANE static Value of_softmax(const SoftmaxSums<Value>& sums) {
        return (sums.rest + sums.second) / sums.total();
    }

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_committee(const Committee& committee) const {
        return of_mean_top(mean_top(committee));
    }
    template <class Value>
    SLUICE_LANE static Value of_mean_top(const MeanTop<Value>& mean) {
        return mean.complement + mean.top.second;
    }
};

static_assert(RowScore<Margin>);

}  // namespace sluice::kernels
