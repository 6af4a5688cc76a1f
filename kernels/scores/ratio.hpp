#pragma once

#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// p2 / p1, p1 and p2 the two largest class probabilities: 0 (certain) to 1 (tied).
struct Ratio {
    static constexpr std::string_view name = "ratio";
    static constexpr std::array<std::string_view, 2> aliases = {"ratio_sampling",
                                                                "ratio_of_confidence"};
    static constexpr std::string_view summary =
        "second largest / largest class probability; 0 to 1";
    static constexpr auto inputs = class_inputs;
    static constexpr std::int64_t min_members = 1;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_probabilities(const RowView<Value>& row) const {
        const TopOfRow<Value> top = top_of_probabilities(row);
        return nan_unless(top.valid, top.top.second / top.top.first);
    }

    template <class Value>
    SLUICE_LANE Value of_logits(const RowView<Value>& row) const {
        const SoftmaxSums<Value> sums = softmax_sums(row);
        return nan_unless(sums.valid, of_softmax(sums));
    }
    template <class Value>
    SLUICE_LANE static Value of_softmax(const SoftmaxSums<Value>& sums) {
        return sums.second / sums.largest;
    }

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_committee(const Committee& committee) const {
        return of_mean_top(mean_top(committee));
    }
    template <class Value>
    SLUICE_LANE static Value of_mean_top(const MeanTop<Value>& mean) {
        return mean.top.second / mean.top.first;
    }
};

static_assert(RowScore<Ratio>);

}  // namespace sluice::kernels
