#pragma once

#include "kernels/softmax.hpp"

#include <cstdint>

namespace sluice::kernels {

/// Whether all logits of a committee are finite, and its total S.
template <class Value>
struct CommitteeTotal {
    MaskOf<Value> valid;
    Value sum;
};

/// The mean of a class's members, relative to P / S.
template <class Value>
struct ClassMean {
    Value weight;       ///< S times the mean probability
    Value inverse;      ///< 1 / (1 + t), t the mean of the members' t
    Value offset;       ///< -t / (1 + t)
    Value far_inverse;  ///< `inverse` for what far members hold
};

/// A committee's class probabilities relative to each other, from the logits and without rounding
/// the probabilities themselves, so that members that nearly agree keep the digits of their
/// disagreement. With x_mc the logit less the member's largest, exact in two floats, a class's
/// pivot w_c = max over m of x_mc, P_c = e^w_c, S = sum of P, u_mc = e^(x_mc - w_c), E = u - 1, and
/// sums over classes D_m = sum of P E and G_m = sum of P u:
///     p_mc = P_c / S (1 + t_mc),  t_mc = u_mc S / G_m - 1 = (E_mc S - D_m) / G_m.
/// E, D and t are as small as the disagreement and accurate at that scale: x - w is, all terms of D
/// have one sign, and an error of D moves the classes of a member alike, where it cancels in the
/// mutual information to first order. For u far below 1, where E has lost u, the first form holds.
/// G_m >= 1, because a member's largest logit is its class's pivot.
template <class Value>
struct CommitteeRatios {
    /// Terms of a member's sums that go into one run.
    static constexpr std::int64_t short_run = 16;
    RowView<Value> row;

    /// Leaves E or u (see `coded`) in the tile in place of the logits, S / G and -D / G in a
    /// member's scratch, P in a class's.
    SLUICE_LANE CommitteeTotal<Value> prepare() const {
        CommitteeTotal<Value> total{center_member(0), Value(0.0F)};
        for (std::int64_t m = 1; m < row.members; ++m)
            total.valid = both(total.valid, center_member(m));
        total.sum = choose_pivots();
        for (std::int64_t m = 0; m < row.members; ++m)
            total.valid = both(total.valid, relate_member(m, total.sum));
        return total;
    }

    /// Leaves t, or -2^100 (1 + t), in the tile.
    SLUICE_LANE ClassMean<Value> class_mean(std::int64_t column) const {
        Value sum{0.0F};
        for (std::int64_t m = 0; m < row.members; ++m) {
            const Value code = row.get(m, column);
            const auto is_far = code < Value(-1.0F);
            const Value offset = select(is_far, Value(0.0F), load_lanes<Value>(row.scratch(m, 1)));
            const Value value = multiply_add(code, load_lanes<Value>(row.scratch(m, 0)), offset);
            sum = sum + select(is_far, multiply_add(value, Value(-0x1p-100F), Value(-1.0F)), value);
            row.put(m, column, value);
        }
        const Value excess = sum * Value(1.0F / static_cast<float>(row.members));
        const Value relative = Value(1.0F) + excess;
        const Value inverse = Value(1.0F) / relative;
        const Value power = load_lanes<Value>(row.class_scratch(column, 0));
        return {multiply_add(power, excess, power), inverse,
                select(Value(0.5F) < excess, inverse - Value(1.0F), Value(0.0F) - excess * inverse),
                inverse * Value(-0x1p-100F)};
    }

    /// p_mc over the class's mean, less 1.
    SLUICE_LANE Value excess(std::int64_t member, std::int64_t column,
                             const ClassMean<Value>& mean) const {
        const Value value = row.get(member, column);
        const auto is_far = value < Value(-1.0F);
        return multiply_add(value, select(is_far, mean.far_inverse, mean.inverse),
                            select(is_far, Value(-1.0F), mean.offset));
    }

    /// Sums of a member over some classes: of P u and of P E.
    struct MemberSums {
        Value whole;
        Value lost;
    };

    /// What logits of a member are raised to, so that no difference overflows and the low part of
    /// one is small: e^x stays 0.
    SLUICE_LANE static Value floor_below(Value highest) {
        const Value size = larger(highest, Value(0.0F) - highest);
        return highest - larger(Value(far_logit), size * Value(0.25F));
    }

    /// Keeps P and the pivot in the class's scratch; returns P.
    SLUICE_LANE Value keep_pivot(std::int64_t column) const {
        const TwoFloats<Value> pivot = pivot_of(column);
        const Value power = canonical_exp_pair(larger(Value(-87.0F), pivot.high), pivot.low).power;
        store_lanes(row.class_scratch(column, 0), power);
        store_lanes(row.class_scratch(column, 1), pivot.high);
        store_lanes(row.class_scratch(column, 2), pivot.low);
        return power;
    }

    /// Replaces the member's logits of the run that begins there; returns the run's sums.
    SLUICE_LANE MemberSums relate_run(std::int64_t member, std::int64_t begin) const {
        const Value largest = load_lanes<Value>(row.scratch(member, 0));
        const std::int64_t end = row.classes - begin < short_run ? row.classes : begin + short_run;
        MemberSums run{Value(0.0F), Value(0.0F)};
        for (std::int64_t c = begin; c < end; ++c) {
            const ExpPair<Value> pair = relate(row.get_slowly(member, c), largest, c);
            const Value power = load_lanes<Value>(row.class_scratch(c, 0));
            run.whole = multiply_add(power, pair.power, run.whole);
            run.lost = multiply_add(power, pair.minus_one, run.lost);
            row.put(member, c, coded(pair));
        }
        return run;
    }

    /// Keeps S / G and -D / G in the member's scratch.
    SLUICE_LANE MaskOf<Value> keep_sums(std::int64_t member, Value committee_sum,
                                        const MemberSums& sums) const {
        store_lanes(row.scratch(member, 0), committee_sum / sums.whole);
        store_lanes(row.scratch(member, 1), Value(0.0F) - sums.lost / sums.whole);
        return sums.whole < Value(infinity);
    }

  private:
    /// What the tile holds: E where it is above -3/4, else -2^100 u, which is below -2^10. u is at
    /// least e^-62: less would be no different.
    SLUICE_LANE static Value coded(const ExpPair<Value>& pair) {
        return select(Value(-0.75F) < pair.minus_one, pair.minus_one,
                      pair.power * Value(-0x1p100F));
    }

    /// Keeps the largest logit in the scratch; logits far below it are raised.
    SLUICE_LANE MaskOf<Value> center_member(std::int64_t member) const {
        const LogitEnds<Value> ends = logit_ends(row, member);
        const Value floor = floor_below(ends.highest);
        if (any(ends.lowest < floor))
            for (std::int64_t c = 0; c < row.classes; ++c)
                row.put(member, c, larger(floor, row.get(member, c)));
        store_lanes(row.scratch(member, 0), ends.highest);
        return Value(-infinity) < ends.lowest;
    }

    /// Keeps P and the pivots in the classes' scratch; returns S.
    SLUICE_LANE Value choose_pivots() const {
        LongSum<Value> sum;
        for (std::int64_t c = 0; c < row.classes; ++c)
            sum.add(keep_pivot(c));
        return sum.total();
    }

    /// The member whose rounded x is the largest.
    SLUICE_LANE TwoFloats<Value> pivot_of(std::int64_t column) const {
        Value logit = row.get(0, column);
        Value origin = load_lanes<Value>(row.scratch(0, 0));
        Value highest = logit - origin;
        for (std::int64_t m = 1; m < row.members; ++m) {
            const Value x = row.get(m, column);
            const Value largest = load_lanes<Value>(row.scratch(m, 0));
            const Value difference = x - largest;
            const auto is_higher = highest < difference;
            logit = select(is_higher, x, logit);
            origin = select(is_higher, largest, origin);
            highest = larger(difference, highest);
        }
        return exact_difference(logit, origin);
    }

    /// Replaces the member's logits.
    SLUICE_LANE MaskOf<Value> relate_member(std::int64_t member, Value committee_sum) const {
        LongSum<Value> whole;
        LongSum<Value> lost;
        for (std::int64_t begin = 0; begin < row.classes; begin += short_run) {
            const MemberSums run = relate_run(member, begin);
            whole.add(run.whole);
            lost.add(run.lost);
        }
        return keep_sums(member, committee_sum, {whole.total(), lost.total()});
    }

    /// u and E of a logit.
    SLUICE_LANE ExpPair<Value> relate(Value logit, Value largest, std::int64_t column) const {
        const TwoFloats<Value> x = exact_difference(logit, largest);
        const Value high = load_lanes<Value>(row.class_scratch(column, 1));
        const Value low = load_lanes<Value>(row.class_scratch(column, 2));
        return canonical_exp_pair(larger(Value(-62.0F), x.high - high), x.low - low);
    }
};

}  // namespace sluice::kernels
