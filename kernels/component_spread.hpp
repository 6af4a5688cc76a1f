#pragma once

#include "kernels/row_statistics.hpp"

#include <cstdint>

namespace sluice::kernels {

/// Standard deviation over the members (divisor M) of a row's column. Differences to the first
/// member are exact or small, so an offset common to all does not cost digits; a second pass takes
/// the deviations from their mean. `finite` becomes NaN if a value is not finite.
template <class Value>
SLUICE_LANE Value member_std(const RowView<Value>& row, std::int64_t column, Value& finite) {
    // A quarter of every value: no difference overflows.
    const Value share{1.0F / static_cast<float>(row.members)};
    const Value origin = row.get(0, column) * Value(0.25F);
    Value sum{0.0F};
    Value reach{0.0F};
    for (std::int64_t m = 0; m < row.members; ++m) {
        const Value value = row.get(m, column);
        finite = multiply_add(value, Value(0.0F), finite);
        const Value difference = multiply_add(value, Value(0.25F), Value(0.0F) - origin);
        sum = sum + difference * share;
        reach = larger(reach, larger(difference, Value(0.0F) - difference));
    }
    // The power of two below the largest difference: scaling by it is exact.
    const Value power =
        float_of_bits(bits_of(larger(reach, Value(0x1p-126F))) & IntegerOf<Value>(0x7f800000U));
    const Value inverse = Value(1.0F) / power;
    const Value mean = sum * inverse;
    Value squares{0.0F};
    for (std::int64_t m = 0; m < row.members; ++m) {
        const Value value = row.get(m, column);
        const Value difference = multiply_add(value, Value(0.25F), Value(0.0F) - origin);
        const Value deviation = multiply_add(difference, inverse, Value(0.0F) - mean);
        squares = multiply_add(deviation, deviation, squares);
    }
    return square_root(squares * share) * power * Value(4.0F);
}

/// Root of the members' mean of a column of variances; `finite` becomes NaN if one of them is
/// negative or not finite.
template <class Value>
SLUICE_LANE Value mean_noise_std(const RowView<Value>& row, std::int64_t column, Value& finite) {
    const Value share{1.0F / static_cast<float>(row.members)};
    Value mean{0.0F};
    for (std::int64_t m = 0; m < row.members; ++m) {
        const Value variance = row.get(m, column);
        finite = multiply_add(variance, Value(0.0F), finite);
        finite = select(variance < Value(0.0F), Value(not_a_number), finite);
        mean = multiply_add(variance, share, mean);
    }
    return square_root(mean);
}

/// The root of a^2 + b^2, which need not be floats; a, b >= 0.
template <class Value>
SLUICE_LANE Value hypotenuse(Value a, Value b) {
    const Value high = larger(a, b);
    const Value ratio = smaller(a, b) / larger(high, Value(0x1p-126F));
    return high * square_root(multiply_add(ratio, ratio, Value(1.0F)));
}

}  // namespace sluice::kernels
