#pragma once

#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Sum of p (1 - p) over the classes, which is 1 - sum of p^2 without its cancellation: 0 (certain)
/// to 1 - 1/C.
/// \source Breiman, Friedman, Olshen and Stone, "Classification and Regression Trees", 1984,
///         section 4.3.1 (Gini diversity index).
struct Gini {
    static constexpr std::string_view name = "gini";
    static constexpr std::array<std::string_view, 3> aliases = {"gini_impurity", "gini_index",
                                                                "deep_gini"};
    static constexpr std::string_view summary = "1 - sum p^2; 0 to 1 - 1/C";
    static constexpr auto inputs = class_inputs;
    static constexpr std::int64_t min_members = 1;
    static constexpr std::int64_t min_classes = 2;

    template <class Value>
    SLUICE_LANE Value of_probabilities(const RowView<Value>& row) const {
        return of_single(CommitteeProbabilities<Value>{row});
    }

    template <class Value>
    SLUICE_LANE Value of_logits(const RowView<Value>& row) const {
        return of_single(CommitteeSoftmax<Value>{row});
    }

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_committee(const Committee& committee) const {
        LongSum<Value> sum;
        const std::int64_t classes = committee.row.classes;
        for (std::int64_t begin = 0; begin < classes; begin += run_length) {
            const std::int64_t end = run_end(begin, classes);
            Value run{0.0F};
            for (std::int64_t c = begin; c < end; ++c) {
                const MeanProbability<Value> mean = mean_probability(committee, c);
                run = multiply_add(mean.probability, mean.complement, run);
            }
            sum.add(run);
        }
        return sum.total();
    }

  private:
    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_single(const Committee& committee) const {
        const auto valid = committee.prepare();
        return nan_unless(valid, of_committee(committee));
    }
};

static_assert(RowScore<Gini>);

}  // namespace sluice::kernels
