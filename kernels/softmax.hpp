#pragma once

#include "kernels/row_statistics.hpp"

#include <cstdint>

namespace sluice::kernels {

/// Softmax without rounding the differences of logits: with a power of two 2^k near e^(max x), the
/// terms e_c = e^x_c / 2^k are computed from x_c itself, so that each keeps its relative accuracy
/// however small it is. The probability of class c is e_c over the sum of all e.
template <class Value>
struct SoftmaxSums {
    MaskOf<Value> valid;  ///< all logits are finite
    Value largest;        ///< the largest e, in [0.7, 1.42]
    Value second;         ///< e of the runner-up: `largest` again where that is not unique
    Value rest;           ///< sum of e over all classes but the (first) largest
    Value spread;         ///< sum of e_c (max x - x_c)

    SLUICE_LANE Value total() const { return largest + rest; }
};

/// Largest and smallest of some logits, and the second largest.
template <class Value>
struct LogitRange {
    TopTwo<Value> top;
    Value lowest{infinity};

    SLUICE_LANE void add(Value x) {
        top.add(x);
        lowest = smaller(lowest, x);
    }
    SLUICE_LANE void merge(const LogitRange& other) {
        top.add(other.top.first);
        top.second = larger(top.second, other.top.second);
        lowest = smaller(lowest, other.lowest);
    }
};

/// Two ranges side by side, because one would wait for itself; their order cannot matter.
template <class Value>
SLUICE_LANE LogitRange<Value> logit_range(const RowView<Value>& row) {
    LogitRange<Value> even;
    LogitRange<Value> odd;
    std::int64_t c = 0;
    for (; c + 2 <= row.classes; c += 2) {
        even.add(row.get(0, c));
        odd.add(row.get(0, c + 1));
    }
    if (c < row.classes) even.add(row.get(0, c));
    even.merge(odd);
    return even;
}

/// Largest and smallest of one member's logits; four chains side by side.
template <class Value>
struct LogitEnds {
    Value highest{-infinity};
    Value lowest{infinity};

    SLUICE_LANE void add(Value high, Value low) {
        highest = larger(highest, high);
        lowest = smaller(lowest, low);
    }
};

template <class Value>
SLUICE_LANE LogitEnds<Value> logit_ends(const RowView<Value>& row, std::int64_t member) {
    LogitEnds<Value> ends[4];
    std::int64_t c = 0;
    for (; c + 4 <= row.classes; c += 4)
        for (int i = 0; i < 4; ++i) {
            const Value x = row.get(member, c + i);
            ends[i].add(x, x);
        }
    for (; c < row.classes; ++c)
        ends[0].add(row.get(member, c), row.get(member, c));
    for (int i = 1; i < 4; ++i)
        ends[0].add(ends[i].highest, ends[i].lowest);
    return ends[0];
}

/// How many further classes share the largest logit.
template <class Value>
SLUICE_LANE Value count_ties(const RowView<Value>& row, Value highest) {
    Value count{-1.0F};
    for (std::int64_t c = 0; c < row.classes; ++c)
        count = add_where(equal(row.get(0, c), highest), count, Value(1.0F));
    return count;
}

/// Logits beyond this, of either sign, are taken relative to the largest first.
inline constexpr float far_logit = 0x1p20F;

/// What e is relative to: e^x / 2^k = e^(x - origin) / 2^exponent.
template <class Value>
struct SoftmaxScale {
    Value origin;    ///< 0, or the largest logit where some are far out
    Value exponent;  ///< rounds (max x - origin) / ln 2
};

/// Where all logits of all lanes lie close together, and not far out, nothing has to be clamped;
/// the bits are those of FarLogits.
struct NearLogits {
    template <class Value>
    SLUICE_LANE static Value term(Value x, const SoftmaxScale<Value>& scale) {
        const ExpParts<Value> parts = exp_parts(x);
        return times_power_of_two(parts.power, parts.count - scale.exponent);
    }
    template <class Value>
    SLUICE_LANE static Value difference(Value x, Value highest) {
        return x - highest;
    }
};

/// Any finite logits; e is 0 from about e^-104 down. NaN stays NaN.
struct FarLogits {
    template <class Value>
    SLUICE_LANE static Value term(Value x, const SoftmaxScale<Value>& scale) {
        const ExpParts<Value> parts = exp_parts(larger(Value(-far_logit), x - scale.origin));
        return times_power_of_two(parts.power,
                                  larger(Value(-216.0F), parts.count - scale.exponent));
    }
    /// e is 0 beyond -150: any finite number does.
    template <class Value>
    SLUICE_LANE static Value difference(Value x, Value highest) {
        return larger(Value(-150.0F), x - highest);
    }
};

template <class Value>
SLUICE_LANE SoftmaxScale<Value> softmax_scale(Value highest, Value lowest) {
    const Value reach = larger(highest, Value(0.0F) - lowest);
    const Value origin = select(Value(far_logit) < reach, highest, Value(0.0F));
    return {origin, exp_parts(highest - origin).count};
}

template <class Value>
SLUICE_LANE bool any_far(Value highest, Value lowest) {
    return any(lowest - highest < Value(-150.0F)) ||
           any(Value(far_logit) < larger(highest, Value(0.0F) - lowest));
}

template <class Logits, class Value>
SLUICE_LANE void add_softmax_runs(const RowView<Value>& row, Value highest,
                                  const SoftmaxScale<Value>& scale, SoftmaxSums<Value>& sums) {
    LongSum<Value> rest;
    LongSum<Value> spread;
    for (std::int64_t begin = 0; begin < row.classes; begin += run_length) {
        const std::int64_t end = run_end(begin, row.classes);
        Value run{0.0F};
        Value spread_run{0.0F};
        for (std::int64_t c = begin; c < end; ++c) {
            const Value x = row.get_slowly(0, c);
            const Value e = Logits::term(x, scale);
            run = add_where(differ(x, highest), run, e);
            spread_run = multiply_add(e, Logits::difference(x, highest), spread_run);
        }
        rest.add(run);
        spread.add(spread_run);
    }
    sums.rest = rest.total();
    sums.spread = Value(0.0F) - spread.total();
}

/// Completes sums over all classes but those of the largest logit: `ties` is how many further ones
/// share it. Takes `rest` and `spread`.
template <class Value>
SLUICE_LANE SoftmaxSums<Value> finish_softmax(const LogitRange<Value>& range,
                                              const SoftmaxScale<Value>& scale, Value ties,
                                              SoftmaxSums<Value> sums) {
    const Value highest = range.top.first;
    sums.largest = FarLogits::term(highest, scale);
    sums.second = FarLogits::term(range.top.second, scale);
    sums.rest = multiply_add(ties, sums.largest, sums.rest);
    // NaN shows in the sum, infinity at the ends.
    sums.valid = both(both(Value(-infinity) < range.lowest, highest < Value(infinity)),
                      sums.rest < Value(infinity));
    return sums;
}

/// Softmax of a row of logits.
template <class Value>
SLUICE_LANE SoftmaxSums<Value> softmax_sums(const RowView<Value>& row) {
    const LogitRange<Value> range = logit_range(row);
    const Value highest = range.top.first;
    const SoftmaxScale<Value> scale = softmax_scale(highest, range.lowest);
    SoftmaxSums<Value> sums;
    Value ties{0.0F};
    if (any(equal(range.top.second, highest))) ties = count_ties(row, highest);
    if (any_far(highest, range.lowest))
        add_softmax_runs<FarLogits>(row, highest, scale, sums);
    else
        add_softmax_runs<NearLogits>(row, highest, scale, sums);
    return finish_softmax(range, scale, ties, sums);
}

/// Softmax of one member of a committee, whose terms e stay in the tile in place of the logits.
template <class Value>
struct MemberSoftmax {
    Value total{0.0F};  ///< sum of e; NaN unless all logits are finite
    Value rest{0.0F};   ///< sum of e over the classes below the largest
};

template <class Logits, class Value>
SLUICE_LANE MemberSoftmax<Value> keep_terms(const RowView<Value>& row, std::int64_t member,
                                            Value highest, const SoftmaxScale<Value>& scale) {
    LongSum<Value> total;
    LongSum<Value> rest;
    for (std::int64_t begin = 0; begin < row.classes; begin += run_length) {
        const std::int64_t end = run_end(begin, row.classes);
        MemberSoftmax<Value> run;
        for (std::int64_t c = begin; c < end; ++c) {
            const Value x = row.get_slowly(member, c);
            const Value e = Logits::term(x, scale);
            run.total = run.total + e;
            run.rest = add_where(differ(x, highest), run.rest, e);
            row.put(member, c, e);
        }
        total.add(run.total);
        rest.add(run.rest);
    }
    return {total.total(), rest.total()};
}

template <class Value>
SLUICE_LANE MemberSoftmax<Value> member_softmax(const RowView<Value>& row, std::int64_t member) {
    const LogitEnds<Value> ends = logit_ends(row, member);
    const SoftmaxScale<Value> scale = softmax_scale(ends.highest, ends.lowest);
    MemberSoftmax<Value> sums = any_far(ends.highest, ends.lowest)
                                    ? keep_terms<FarLogits>(row, member, ends.highest, scale)
                                    : keep_terms<NearLogits>(row, member, ends.highest, scale);
    // An infinite largest logit makes its own term NaN, and so the sum.
    sums.total = nan_unless(Value(-infinity) < ends.lowest, sums.total);
    return sums;
}

}  // namespace sluice::kernels
