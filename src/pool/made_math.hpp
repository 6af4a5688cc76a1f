#pragma once

#include <bit>
#include <cstdint>

namespace sluice::pool {

// Elementary functions of made pools, in plain float32 multiplications and additions without
// branches: compilers vectorise loops over them, and the same seed makes the same bytes on every
// machine, which the system's libm does not promise. Each is within 3 units in the last place of
// the exact value (tests/pool/made_math_test.cpp).

/// The nearest integer, as a float; for |x| < 2^22.
/// \source adding 1.5 * 2^23 leaves no room for a fraction in float32
inline float made_round(float x) {
    return (x + 12582912.0F) - 12582912.0F;
}

/// Natural logarithm of x, 2^-126 <= x < 2^127.
/// \source Cephes Mathematical Library, single/logf.c (polynomial on [sqrt(1/2), sqrt(2)))
inline float made_log(float x) {
    const auto bits = std::bit_cast<std::uint32_t>(x);
    // Splits x = 2^exponent * mantissa with the mantissa in [sqrt(1/2), sqrt(2)).
    const std::uint32_t shifted = bits - 0x3F3504F3U;
    const auto exponent = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23);
    const float f = std::bit_cast<float>((shifted & 0x007FFFFFU) + 0x3F3504F3U) - 1.0F;
    const float square = f * f;
    float series = 7.0376836292E-2F;
    series = series * f - 1.1514610310E-1F;
    series = series * f + 1.1676998740E-1F;
    series = series * f - 1.2420140846E-1F;
    series = series * f + 1.4249322787E-1F;
    series = series * f - 1.6668057665E-1F;
    series = series * f + 2.0000714765E-1F;
    series = series * f - 2.4999993993E-1F;
    series = series * f + 3.3333331174E-1F;
    const float tail = series * f * square - 2.12194440E-4F * exponent - 0.5F * square;
    return f + tail + 0.693359375F * exponent;
}

/// e^x for x <= 88; 0 below -87.
/// \source Cephes Mathematical Library, single/expf.c
inline float made_exp(float x) {
    const float bounded = x < -87.0F ? -87.0F : x;
    const float count = made_round(bounded * 1.44269504088896341F);
    const float r = (bounded - count * 0.693359375F) + count * 2.12194440E-4F;
    float series = 1.9875691500E-4F;
    series = series * r + 1.3981999507E-3F;
    series = series * r + 8.3334519073E-3F;
    series = series * r + 4.1665795894E-2F;
    series = series * r + 1.6666665459E-1F;
    series = series * r + 5.0000001201E-1F;
    const float power = std::bit_cast<float>((static_cast<std::int32_t>(count) + 127) << 23);
    const float value = (series * (r * r) + r + 1.0F) * power;
    return x < -87.0F ? 0.0F : value;
}

/// Sine and cosine of an angle.
struct SineCosine {
    float sine;
    float cosine;
};

/// Sine and cosine of `turns` full turns (2 pi turns in radians), |turns| < 2^20.
/// \source Cephes Mathematical Library, single/sinf.c (polynomials on [-pi/4, pi/4])
inline SineCosine made_sine_cosine(float turns) {
    const float quarters = made_round(turns * 4.0F);
    const auto quadrant = static_cast<std::int32_t>(quarters);
    const float y = (turns - quarters * 0.25F) * 6.28318530717958648F;
    const float square = y * y;
    float sine = -1.9515295891E-4F;
    sine = sine * square + 8.3321608736E-3F;
    sine = sine * square - 1.6666654611E-1F;
    sine = sine * square * y + y;
    float cosine = 2.443315711809948E-5F;
    cosine = cosine * square - 1.388731625493765E-3F;
    cosine = cosine * square + 4.166664568298827E-2F;
    cosine = cosine * (square * square) - 0.5F * square + 1.0F;
    const bool swapped = (quadrant & 1) != 0;
    const float first = swapped ? cosine : sine;
    const float second = swapped ? sine : cosine;
    return {(quadrant & 2) != 0 ? -first : first, ((quadrant + 1) & 2) != 0 ? -second : second};
}

}  // namespace sluice::pool
