#pragma once

#include "kernels/simd/lane.hpp"

#include <cstdint>

/// exp and log of canonical arithmetic: one source for every instruction set and for the device,
/// made of single-rounding operations only, so that the bits agree everywhere. `Value` is float or
/// one of the vector types of kernels/simd. The bounds are what tests/kernels/canonical_math_test
/// establishes against float64, in units in the last place (ulp).
namespace sluice::kernels {

/// Horner's rule, highest coefficient first.
template <class Value>
SLUICE_LANE Value horner(Value, Value sum) {
    return sum;
}
template <class Value, class... Lower>
SLUICE_LANE Value horner(Value x, Value sum, float next, Lower... lower) {
    return horner(x, multiply_add(sum, x, Value(next)), lower...);
}

/// A polynomial of degree 7, coefficients from c0 on, given x and x^2: even and odd powers run side
/// by side, which halves the wait and costs nothing where x^2 is needed anyway.
template <class Value>
SLUICE_LANE Value polynomial7(Value x, Value square, const float (&c)[8]) {
    const Value even = horner(square, Value(c[6]), c[4], c[2], c[0]);
    const Value odd = horner(square, Value(c[7]), c[5], c[3], c[1]);
    return multiply_add(odd, x, even);
}

/// e^x = power * 2^count, power in [0.7, 1.42], count a whole number.
template <class Value>
struct ExpParts {
    Value power;
    Value count;
};

/// e^x in parts, for |x| <= 2^20.
/// \source x = n ln 2 + r with ln 2 in two parts (Cody and Waite); the polynomial is the minimax
///         one of degree 6 on |r| <= ln(2)/2, relative error 3e-9.
template <class Value>
SLUICE_LANE ExpParts<Value> exp_parts(Value x) {
    const Value count =
        multiply_add(x, Value(0x1.715476p+0F), Value(integer_magic)) - Value(integer_magic);
    Value r = multiply_add(count, Value(-0x1.62e430p-1F), x);
    r = multiply_add(count, Value(0x1.05c610p-29F), r);
    return {horner(r, Value(0x1.6a24380p-10F), 0x1.1239e20p-7F, 0x1.5558f20p-5F, 0x1.5554920p-3F,
                   0x1.fffffc0p-2F, 1.0F, 1.0F),
            count};
}

/// e^x, within 1 ulp; 0 below -150 (exact gradual underflow above), infinity above 89, NaN for NaN.
template <class Value>
SLUICE_LANE Value canonical_exp(Value x) {
    const ExpParts<Value> parts = exp_parts(smaller(Value(89.0F), larger(Value(-150.0F), x)));
    return times_power_of_two(parts.power, parts.count);
}

/// e^x and e^x - 1, each accurate in its own right.
template <class Value>
struct ExpPair {
    Value power;
    Value minus_one;
};

/// For x = high + low in [-87, 88], |low| <= 2^-4, both within 2 ulp, however small x is; NaN for
/// NaN.
/// \source e^x = 2^n (1 + q), q = e^r - 1 by the polynomial of exp_parts, whose coefficients of 1
///         and r are exact; 2^n - 1 is exact where it matters.
template <class Value>
SLUICE_LANE ExpPair<Value> canonical_exp_pair(Value high, Value low) {
    const Value count =
        multiply_add(high, Value(0x1.715476p+0F), Value(integer_magic)) - Value(integer_magic);
    const Value large = multiply_add(count, Value(-0x1.62e430p-1F), high);
    const Value small = multiply_add(count, Value(0x1.05c610p-29F), low);
    const Value r = large + small;
    const Value curve = horner(r, Value(0x1.6a24380p-10F), 0x1.1239e20p-7F, 0x1.5558f20p-5F,
                               0x1.5554920p-3F, 0x1.fffffc0p-2F);
    const Value q = large + multiply_add(r * r, curve, small);
    const Value scale = times_power_of_two(Value(1.0F), count);
    return {multiply_add(scale, q, scale), multiply_add(scale, q, scale - Value(1.0F))};
}

/// The minimax polynomial for ln(1 + f) on [-1/4, 1/2], relative error 4e-8.
template <class Value>
SLUICE_LANE Value log_of_one_plus(Value f) {
    constexpr float coefficients[8] = {-0x1.00001c0p-1F, 0x1.5556780p-2F,  -0x1.ffd8dc0p-3F,
                                       0x1.98e1e60p-3F,  -0x1.5847fa0p-3F, 0x1.35929c0p-3F,
                                       -0x1.fe828a0p-4F, 0x1.d5bcda0p-5F};
    const Value square = f * f;
    return multiply_add(square, polynomial7(f, square, coefficients), f);
}

inline constexpr float ln2 = 0x1.62e430p-1F;

/// ln 2 per unit of a float's exponent field, which is counted in steps of 2^23.
inline constexpr float ln2_per_exponent_bit = ln2 * 0x1p-23F;

/// x = 2^(exponent / 2^23) (1 + f), f in [-1/4, 1/2], for positive x up to 2^90.
template <class Value>
struct LogParts {
    Value exponent;
    Value f;
};

template <class Value>
SLUICE_LANE LogParts<Value> log_parts(Value x) {
    // 2^30 x is normal for every x > 0; the exponent is then cut so that the mantissa lies in
    // [0.75, 1.5), where x close to 1 keeps all its digits.
    const Value scaled = x * Value(0x1p30F);
    const auto offset = bits_of(scaled) - IntegerOf<Value>((30U << 23) + 0x3f400000U);
    const auto exponent = offset & IntegerOf<Value>(0xff800000U);
    const Value inverse_power = float_of_bits(IntegerOf<Value>((127U - 30U) << 23) - exponent);
    return {float_of_integer(exponent), multiply_add(scaled, inverse_power, Value(-1.0F))};
}

/// ln x for positive finite x up to 2^90, denormals included; finite garbage for 0, so that
/// 0 * canonical_log(0) is 0. Within 2 ulp.
template <class Value>
SLUICE_LANE Value canonical_log(Value x) {
    const LogParts<Value> parts = log_parts(x);
    return multiply_add(parts.exponent, Value(ln2_per_exponent_bit), log_of_one_plus(parts.f));
}

/// ln x given x and x - 1, each accurate in its own right: for x close to 1 the result is as
/// accurate as x - 1 is. Range as canonical_log.
template <class Value>
SLUICE_LANE Value canonical_log_near(Value x, Value x_minus_one) {
    const LogParts<Value> parts = log_parts(x);
    const Value f = select(equal(parts.exponent, Value(0.0F)), x_minus_one, parts.f);
    return multiply_add(parts.exponent, Value(ln2_per_exponent_bit), log_of_one_plus(f));
}

/// ln(1 + x) for x >= 0 up to 2^90, within 3 ulp.
template <class Value>
SLUICE_LANE Value canonical_log1p(Value x) {
    return canonical_log_near(Value(1.0F) + x, x);
}

}  // namespace sluice::kernels
