#pragma once

#include "kernels/softmax.hpp"

#include <cstdint>

namespace sluice::kernels {

/// A committee's class probabilities as the pool gives them.
template <class Value>
struct CommitteeProbabilities {
    using Lanes = Value;
    RowView<Value> row;

    SLUICE_LANE MaskOf<Value> prepare() const { return check_committee(row); }
    SLUICE_LANE Value probability(std::int64_t member, std::int64_t column) const {
        return row.get(member, column);
    }
    SLUICE_LANE Value probability_slowly(std::int64_t member, std::int64_t column) const {
        return row.get_slowly(member, column);
    }
    /// 1 - probability, exact for probabilities above a half.
    SLUICE_LANE Value complement(std::int64_t member, std::int64_t column) const {
        return Value(1.0F) - row.get(member, column);
    }
};

/// Whether a score asks a committee for complements.
enum class Complements { no, yes };

/// A committee's class probabilities by softmax of the logits, which prepare() replaces in the tile
/// by the terms e of SoftmaxSums. A member's scratch holds 1 / sum(e) and the share of all but its
/// largest class, which 1 - probability could not tell for a member that is nearly certain.
template <class Value, Complements complements>
struct CommitteeSoftmax {
    using Lanes = Value;
    RowView<Value> row;

    SLUICE_LANE MaskOf<Value> prepare() const {
        auto valid = prepare_member(0);
        for (std::int64_t m = 1; m < row.members; ++m)
            valid = both(valid, prepare_member(m));
        return valid;
    }
    SLUICE_LANE Value probability(std::int64_t member, std::int64_t column) const {
        return row.get(member, column) * load_lanes<Value>(row.scratch(member, 0));
    }
    /// The softmax itself was the slow pass.
    SLUICE_LANE Value probability_slowly(std::int64_t member, std::int64_t column) const {
        return probability(member, column);
    }
    SLUICE_LANE Value complement(std::int64_t member, std::int64_t column) const {
        static_assert(complements == Complements::yes);
        const Value p = probability(member, column);
        return select(Value(0.5F) < p, load_lanes<Value>(row.scratch(member, 1)), Value(1.0F) - p);
    }

  private:
    SLUICE_LANE MaskOf<Value> prepare_member(std::int64_t member) const {
        if constexpr (complements == Complements::no) {
            const Value total = softmax_total(row, member);
            store_lanes(row.scratch(member, 0), Value(1.0F) / total);
            return total < Value(infinity);
        } else {
            const SoftmaxSums<Value> sums = softmax_sums<KeepTerms::yes>(row, member);
            const Value scale = Value(1.0F) / sums.total();
            store_lanes(row.scratch(member, 0), scale);
            store_lanes(row.scratch(member, 1), sums.rest * scale);
            return sums.valid;
        }
    }
};

/// The members' mean probability of one class, and 1 - mean without cancellation.
template <class Value>
struct MeanProbability {
    Value probability;
    Value complement;
};

template <class Committee, class Value = typename Committee::Lanes>
SLUICE_LANE MeanProbability<Value> mean_probability(const Committee& committee,
                                                    std::int64_t column) {
    Value probability{0.0F};
    Value complement{0.0F};
    for (std::int64_t m = 0; m < committee.row.members; ++m) {
        probability = probability + committee.probability_slowly(m, column);
        complement = complement + committee.complement(m, column);
    }
    const Value share{1.0F / static_cast<float>(committee.row.members)};
    return {probability * share, complement * share};
}

/// What the scores of a mean prediction need of it.
template <class Value>
struct MeanTop {
    TopTwo<Value> top;
    Value complement{1.0F};  ///< 1 - top.first without cancellation
};

template <class Committee, class Value = typename Committee::Lanes>
SLUICE_LANE MeanTop<Value> mean_top(const Committee& committee) {
    MeanTop<Value> result;
    for (std::int64_t c = 0; c < committee.row.classes; ++c) {
        const MeanProbability<Value> mean = mean_probability(committee, c);
        result.complement =
            select(result.top.first < mean.probability, mean.complement, result.complement);
        result.top.add(mean.probability);
    }
    return result;
}

}  // namespace sluice::kernels
