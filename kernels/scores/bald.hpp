#pragma once

#include "kernels/committee_ratios.hpp"
#include "kernels/phi_sums.hpp"
#include "kernels/score_concept.hpp"

namespace sluice::kernels {

/// Mutual information of the label and the committee member, H(mean p) - mean H(p), in nats: 0
/// (members agree) to ln min(M, C). Equals the mean Kullback-Leibler divergence of the members
/// from their mean.
/// \source Houlsby et al., "Bayesian Active Learning for Classification and Preference Learning",
///         2011, equation 2.
///
/// The difference of entropies cancels where members nearly agree. Computed instead, with any
/// q_c > 0, as (1/M) sum over c of q_c [ sum over m of phi(p_mc / q_c) - M phi(mean_c / q_c) ],
/// phi(r) = r ln r - r + 1, an identity for any q. With q_c the rounded mean all terms are
/// non-negative and the last is a correction of the order of q's rounding error. The result is
/// within 1e-6 of itself (plus 1e-29) however small it is: from logits too, whose softmax is not
/// rounded before members are compared (see CommitteeRatios).
struct Bald {
    static constexpr std::string_view name = "bald";
    static constexpr std::array<std::string_view, 6> aliases = {
        "BALD", "mutual_information", "mi", "kl_divergence", "average_kl", "qbc_kl"};
    static constexpr std::string_view summary =
        "mutual information of label and member, in nats; 0 to ln min(M, C)";
    static constexpr std::array inputs = {ScoreInput::committee_probabilities,
                                          ScoreInput::committee_logits};
    static constexpr std::int64_t min_members = 2;
    static constexpr std::int64_t min_classes = 2;

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE Value of_committee(const Committee& committee) const {
        LongSum<Value> sum;
        const std::int64_t classes = committee.row.classes;
        Center<Value> center = center_of(committee, 0);
        for (std::int64_t begin = 0; begin < classes; begin += run_length) {
            const std::int64_t end = run_end(begin, classes);
            Value run{0.0F};
            for (std::int64_t c = begin; c < end; ++c) {
                // One class ahead: the terms would wait for the division.
                const Center<Value> next = c + 1 < classes ? center_of(committee, c + 1) : center;
                run = multiply_add(class_divergence(committee, c, center.inverse), center.sum, run);
                center = next;
            }
            sum.add(run);
        }
        const auto members = static_cast<float>(committee.row.members);
        return larger(sum.total() * Value(1.0F / (members * members)), Value(0.0F));
    }

    template <class Value>
    SLUICE_LANE Value of_committee_logits(const RowView<Value>& row) const {
        const CommitteeRatios<Value> committee{row};
        const CommitteeTotal<Value> total = committee.prepare();
        LongSum<Value> sum;
        ClassMean<Value> mean = committee.class_mean(0);
        for (std::int64_t c = 0; c < row.classes; ++c) {
            // One class ahead, as above.
            const ClassMean<Value> next = c + 1 < row.classes ? committee.class_mean(c + 1) : mean;
            sum.add(of_class(committee, c, mean));
            mean = next;
        }
        return of_sum(sum.total(), total, row.members);
    }
    /// The class's part of the sum, and the score of the sum.
    template <class Value>
    SLUICE_LANE static Value of_class(const CommitteeRatios<Value>& committee, std::int64_t column,
                                      const ClassMean<Value>& mean) {
        return class_divergence(committee, column, mean) * mean.weight;
    }
    template <class Value>
    SLUICE_LANE static Value of_sum(Value sum, const CommitteeTotal<Value>& total,
                                    std::int64_t members) {
        const Value scale = total.sum * Value(static_cast<float>(members));
        return nan_unless(total.valid, larger(sum / scale, Value(0.0F)));
    }

  private:
    /// M times the point q that a class's members are compared with, and 1 / q.
    template <class Value>
    struct Center {
        Value sum;
        Value inverse;
    };

    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE static Center<Value> center_of(const Committee& committee, std::int64_t column) {
        const std::int64_t members = committee.row.members;
        const Value sum = probability_sum(committee, column);
        // A class whose sum is smaller adds less than 1e-29; its reciprocal could overflow.
        return {sum, Value(static_cast<float>(members)) / larger(sum, Value(0x1p-100F))};
    }

    /// The class's part of the whole sum, not yet divided by M.
    template <class Committee, class Value = typename Committee::Lanes>
    SLUICE_LANE static Value class_divergence(const Committee& committee, std::int64_t column,
                                              Value inverse) {
        const std::int64_t members = committee.row.members;
        const auto count = static_cast<float>(members);
        PhiSums<Value> sums;
        sums.powers = Value(-count);
        for (std::int64_t m = 0; m < members; ++m)
            sums.add(multiply_add(committee.probability(m, column), inverse, Value(-1.0F)));
        return sums.total_about_mean(count);
    }

    /// The class's part, not yet divided by M and the committee's total.
    template <class Value>
    SLUICE_LANE static Value class_divergence(const CommitteeRatios<Value>& committee,
                                              std::int64_t column, const ClassMean<Value>& mean) {
        const std::int64_t members = committee.row.members;
        PhiSums<Value> sums;
        sums.powers = Value(-static_cast<float>(members));
        for (std::int64_t m = 0; m < members; ++m)
            sums.add(committee.excess(m, column, mean));
        return sums.total();
    }
};

static_assert(RowScore<Bald>);

}  // namespace sluice::kernels
