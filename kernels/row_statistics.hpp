#pragma once

#include "kernels/canonical_math.hpp"
#include "kernels/row_view.hpp"
#include "kernels/score_rows.hpp"

#include <cstdint>

/// Sums, maxima and validity of rows of probabilities, shared by the score functors.
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

/// A number as the sum of two floats, `high` the sum rounded.
template <class Value>
struct TwoFloats {
    Value high;
    Value low;
};

/// a - b without rounding.
/// \source As LongSum.
template <class Value>
SLUICE_LANE TwoFloats<Value> exact_difference(Value a, Value b) {
    const Value difference = a - b;
    const Value taken = difference - a;
    return {difference, (a - (difference - taken)) - (b + taken)};
}

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
SLUICE_LANE MaskOf<Value> is_distribution(const RowView<Value>& row, std::int64_t member, Value sum,
                                          IntegerOf<Value> sign_bits) {
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

}  // namespace sluice::kernels
