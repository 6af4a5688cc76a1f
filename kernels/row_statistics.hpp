#pragma once

#include <cstdint>

#include "kernels/canonical_math.hpp"
#include "kernels/row_view.hpp"
#include "kernels/score_rows.hpp"

/// Sums, maxima and validity of rows, shared by the score functors.
namespace sluice::kernels {

/// Long rows are summed in runs of this many classes, so that rounding errors stay those of a short
/// sum for any number of classes.
inline constexpr std::int64_t run_length = 64;

SLUICE_LANE std::int64_t run_end(std::int64_t begin, std::int64_t count) {
    return count - begin < run_length ? count : begin + run_length;
}

/// A sum of runs whose rounding errors are carried along.
/// \source Knuth, The Art of Computer Programming 2, 4.2.2, theorem B (TwoSum).
template <class Value>
struct LongSum {
    Value high{0.0F};
    Value low{0.0F};

    SLUICE_LANE void add(Value term) {
        const Value sum = high + term;
        const Value added = sum - high;
        low = low + ((high - (sum - added)) + (term - added));
        high = sum;
    }
    SLUICE_LANE Value total() const { return high + low; }
};

/// The two largest values of a row, the first of equal ones counting as the largest.
template <class Value>
struct TopTwo {
    Value first{-infinity};
    Value second{-infinity};

    SLUICE_LANE void add(Value value) {
        second = larger(second, smaller(first, value));
        first = larger(first, value);
    }
};

/// Whether each lane's row keeps its contract, and the number that says not.
template <class Value>
SLUICE_LANE Value nan_unless(MaskOf<Value> valid, Value score) {
    return select(valid, score, Value(not_a_number));
}

/// True where every value is >= 0 (-0 included) and the values sum to 1 within sum_tolerance.
/// `sign_bits` is the union of the values' bits. NaN and infinities show in the sum.
template <class Value>
SLUICE_LANE MaskOf<Value> is_distribution(const RowView<Value>& row, std::int64_t member,
                                          Value sum, IntegerOf<Value> sign_bits) {
    const Value error = sum - Value(1.0F);
    const auto close = both(error <= Value(sum_tolerance), Value(-sum_tolerance) <= error);
    if (!any(top_bit(sign_bits))) return close;
    Value lowest{0.0F};
    for (std::int64_t c = 0; c < row.classes; ++c)
        lowest = smaller(lowest, row.get(member, c));
    return both(close, Value(0.0F) <= lowest);
}

/// Checks one member's probabilities. Four sums side by side, because one would wait for itself.
template <class Value>
SLUICE_LANE MaskOf<Value> check_probabilities(const RowView<Value>& row, std::int64_t member) {
    LongSum<Value> sum;
    IntegerOf<Value> bits(0U);
    for (std::int64_t begin = 0; begin < row.classes; begin += run_length) {
        const std::int64_t end = run_end(begin, row.classes);
        Value run[4] = {Value(0.0F), Value(0.0F), Value(0.0F), Value(0.0F)};
        std::int64_t c = begin;
        for (; c + 4 <= end; c += 4) {
            const Value p[4] = {row.get(member, c), row.get(member, c + 1), row.get(member, c + 2),
                                row.get(member, c + 3)};
            for (int i = 0; i < 4; ++i)
                run[i] = run[i] + p[i];
            bits = any_bits(bits, bits_of(p[0]), bits_of(p[1]));
            bits = any_bits(bits, bits_of(p[2]), bits_of(p[3]));
        }
        for (; c < end; ++c) {
            run[0] = run[0] + row.get(member, c);
            bits = bits | bits_of(row.get(member, c));
        }
        sum.add((run[0] + run[1]) + (run[2] + run[3]));
    }
    return is_distribution(row, member, sum.total(), bits);
}

/// The two largest of a row's probabilities, and whether it keeps its contract.
template <class Value>
struct TopOfRow {
    TopTwo<Value> top;
    MaskOf<Value> valid;
};

template <class Value>
SLUICE_LANE TopOfRow<Value> top_of_probabilities(const RowView<Value>& row) {
    TopTwo<Value> top;
    LongSum<Value> sum;
    IntegerOf<Value> bits(0U);
    for (std::int64_t begin = 0; begin < row.classes; begin += run_length) {
        const std::int64_t end = run_end(begin, row.classes);
        Value run{0.0F};
        for (std::int64_t c = begin; c < end; ++c) {
            const Value p = row.get_slowly(0, c);
            run = run + p;
            bits = bits | bits_of(p);
            top.add(p);
        }
        sum.add(run);
    }
    return {top, is_distribution(row, 0, sum.total(), bits)};
}

/// Checks all members' probabilities.
template <class Value>
SLUICE_LANE MaskOf<Value> check_committee(const RowView<Value>& row) {
    auto valid = check_probabilities(row, 0);
    for (std::int64_t m = 1; m < row.members; ++m)
        valid = both(valid, check_probabilities(row, m));
    return valid;
}

/// What softmax scores need of one member's logits x: with e_c = exp(x_c - max x), so that the
/// largest e is 1 and the probability of class c is e_c / (1 + rest).
template <class Value>
struct SoftmaxSums {
    MaskOf<Value> valid;  ///< all logits are finite
    Value rest;           ///< sum of e over all classes but the (first) largest
    Value spread;         ///< sum of e_c (max x - x_c)
    Value second;         ///< e of the runner-up: 1 where the largest is not unique

    SLUICE_LANE Value total() const { return Value(1.0F) + rest; }
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
SLUICE_LANE LogitRange<Value> logit_range(const RowView<Value>& row, std::int64_t member) {
    LogitRange<Value> even;
    LogitRange<Value> odd;
    std::int64_t c = 0;
    for (; c + 2 <= row.classes; c += 2) {
        even.add(row.get(member, c));
        odd.add(row.get(member, c + 1));
    }
    if (c < row.classes) even.add(row.get(member, c));
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
SLUICE_LANE Value count_ties(const RowView<Value>& row, std::int64_t member, Value highest) {
    Value count{-1.0F};
    for (std::int64_t c = 0; c < row.classes; ++c)
        count = add_where(equal(row.get(member, c), highest), count, Value(1.0F));
    return count;
}

/// Whether exp keeps e in the tile, in place of the logits.
enum class KeepExp { no, yes };

/// The sums over a member whose logits lie in `range`; `Exp` is the exponential to use.
template <KeepExp keep, class Value, class Exp>
SLUICE_LANE void add_softmax_runs(const RowView<Value>& row, std::int64_t member, Value highest,
                                  Exp exp, SoftmaxSums<Value>& sums) {
    LongSum<Value> rest;
    LongSum<Value> spread;
    for (std::int64_t begin = 0; begin < row.classes; begin += run_length) {
        const std::int64_t end = run_end(begin, row.classes);
        Value run{0.0F};
        Value spread_run{0.0F};
        for (std::int64_t c = begin; c < end; ++c) {
            const Value x = row.get_slowly(member, c);
            const Value difference = x - highest;
            const Value e = exp(difference);
            run = add_where(differ(x, highest), run, e);
            spread_run = multiply_add(e, difference, spread_run);
            if constexpr (keep == KeepExp::yes) row.put(member, c, e);
        }
        rest.add(run);
        spread.add(spread_run);
    }
    sums.rest = rest.total();
    sums.spread = Value(0.0F) - spread.total();
}

/// Without the clamps that only logits far apart need.
struct ExpInRange {
    template <class Value>
    SLUICE_LANE Value operator()(Value x) const {
        return exp_in_range(x);
    }
};
struct ExpOfAny {
    template <class Value>
    SLUICE_LANE Value operator()(Value x) const {
        return canonical_exp(x);
    }
};

/// Softmax of one member. With KeepExp::yes the tile holds e afterwards.
template <KeepExp keep, class Value>
SLUICE_LANE SoftmaxSums<Value> softmax_sums(const RowView<Value>& row, std::int64_t member) {
    const LogitRange<Value> range = logit_range(row, member);
    const Value highest = range.top.first;
    SoftmaxSums<Value> sums;
    Value ties{0.0F};
    if (any(equal(range.top.second, highest))) ties = count_ties(row, member, highest);
    if (any(range.lowest - highest < Value(-150.0F)))
        add_softmax_runs<keep>(row, member, highest, ExpOfAny(), sums);
    else
        add_softmax_runs<keep>(row, member, highest, ExpInRange(), sums);
    sums.rest = sums.rest + ties;
    sums.second = canonical_exp(range.top.second - highest);
    // An infinite logit makes lowest infinite or x - highest NaN; NaN goes through every sum.
    sums.valid = both(Value(-infinity) < range.lowest, sums.rest < Value(infinity));
    return sums;
}

/// The sum of all e of a member whose logits lie between `ends`; the tile holds e afterwards.
template <class Value, class Exp>
SLUICE_LANE Value keep_exp(const RowView<Value>& row, std::int64_t member, Value highest,
                           Exp exp) {
    LongSum<Value> total;
    for (std::int64_t begin = 0; begin < row.classes; begin += run_length) {
        const std::int64_t end = run_end(begin, row.classes);
        Value run{0.0F};
        for (std::int64_t c = begin; c < end; ++c) {
            const Value e = exp(row.get_slowly(member, c) - highest);
            run = run + e;
            row.put(member, c, e);
        }
        total.add(run);
    }
    return total.total();
}

/// Softmax of one member, where nothing but the probabilities is asked for: NaN unless all logits
/// are finite, else the sum of e, which the tile holds afterwards.
template <class Value>
SLUICE_LANE Value softmax_total(const RowView<Value>& row, std::int64_t member) {
    const LogitEnds<Value> ends = logit_ends(row, member);
    Value total;
    if (any(ends.lowest - ends.highest < Value(-150.0F)))
        total = keep_exp(row, member, ends.highest, ExpOfAny());
    else
        total = keep_exp(row, member, ends.highest, ExpInRange());
    return nan_unless(Value(-infinity) < ends.lowest, total);
}

}  // namespace sluice::kernels
