#pragma once

#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// 1 - p1, p1 the largest class probability: 0 (certain) to 1 - 1/C.
/// \source Lewis and Gale, "A Sequential Algorithm for Training Text Classifiers", SIGIR 1994.
struct LeastConfidence {
    static constexpr std::string_view name = "least_confidence";
    static constexpr std::array<std::string_view, 4> aliases = {
        "least_confident", "lc", "LeastConfidence", "uncertainty_least_confidence"};
    static constexpr std::string_view summary = "1 - largest class probability; 0 to 1 - 1/C";
    static constexpr auto inputs = class_inputs;
    static constexpr std::int64_t min_members = 1;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_probabilities(const RowView<Value>& row) const {
        const TopOfRow<Value> top = top_of_probabilities(row);
        return nan_unless(top.valid, Value(1.0F) - top.top.first);
    }

    template <class Value>
    SLUICE_LANE Value of_logits(const RowView<Value>& row) const {
        const SoftmaxSums<Value> sums = softmax_sums(row);
        return nan_unless(sums.valid, of_softmax(sums));
    }
    template <class Value>
    SLUICE_LANE static Value of_softmax(const SoftmaxSums<Value>& sums) {
        return sums.rest / sums.total();
    }

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_committee(const Committee& committee) const {
        return of_mean_top(mean_top(committee));
    }
    template <class Value>
    SLUICE_LANE static Value of_mean_top(const MeanTop<Value>& mean) {
        return mean.complement;
    }
};

static_assert(RowScore<LeastConfidence>);

}  // namespace sluice::kernels
