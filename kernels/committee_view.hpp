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
    SLUICE_LANE Value add_probability(Value sum, std::int64_t member, std::int64_t column) const {
        return sum + row.get_slowly(member, column);
    }
    /// 1 - probability, exact for probabilities above a half.
    SLUICE_LANE Value complement(std::int64_t member, std::int64_t column) const {
        return Value(1.0F) - row.get(member, column);
    }
};

/// A committee's class probabilities by softmax of the logits, which prepare() replaces in the tile
/// by the terms e of SoftmaxSums. A member's scratch holds 1 / sum(e) and the share of all but its
/// largest class, which 1 - probability could not tell for a member that is nearly certain.
template <class Value>
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
    SLUICE_LANE Value add_probability(Value sum, std::int64_t member, std::int64_t column) const {
        return multiply_add(row.get(member, column), load_lanes<Value>(row.scratch(member, 0)),
                            sum);
    }
    SLUICE_LANE Value complement(std::int64_t member, std::int64_t column) const {
        const Value p = probability(member, column);
        return select(Value(0.5F) < p, load_lanes<Value>(row.scratch(member, 1)), Value(1.0F) - p);
    }

    /// Keeps in the member's scratch what is to know of its softmax, whose terms are in the tile.
    SLUICE_LANE MaskOf<Value> keep_member(std::int64_t member,
                                          const MemberSoftmax<Value>& sums) const {
        const Value scale = Value(1.0F) / sums.total;
        store_lanes(row.scratch(member, 0), scale);
        store_lanes(row.scratch(member, 1), sums.rest * scale);
        return sums.total < Value(infinity);
    }

  private:
    SLUICE_LANE MaskOf<Value> prepare_member(std::int64_t member) const {
        return keep_member(member, member_softmax(row, member));
    }
};

/// Sum of the members' probabilities of one class.
template <class Committee, class Value = typename Committee::Lanes>
SLUICE_LANE Value probability_sum(const Committee& committee, std::int64_t column) {
    Value sum{0.0F};
    for (std::int64_t m = 0; m < committee.row.members; ++m)
        sum = committee.add_probability(sum, m, column);
    return sum;
}

/// The members' mean probability of one class, and 1 - mean without cancellation.
template <class Value>
struct MeanProbability {
    Value probability;
    Value complement;
};

template <class Committee, class Value = typename Committee::Lanes>
SLUICE_LANE MeanProbability<Value> mean_probability(const Committee& committee,
                                                    std::int64_t column) {
    const Value share{1.0F / static_cast<float>(committee.row.members)};
    const Value probability = probability_sum(committee, column) * share;
    Value complement = Value(1.0F) - probability;
    const auto is_high = Value(0.5F) < probability;
    if (any(is_high)) {
        Value sum{0.0F};
        for (std::int64_t m = 0; m < committee.row.members; ++m)
            sum = sum + committee.complement(m, column);
        complement = select(is_high, sum * share, complement);
    }
    return {probability, complement};
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
