#pragma once

#include <bit>
#include <cstdint>

namespace sluice::pool {

// Elementary functions of made inputs, in plain float64 arithmetic, so that the same seed makes the
// same bytes on every machine (as made_math.hpp in float32). Each is within 2 units in the last
// place of the exact value (tests/pool/made_math_test.cpp).

/// The nearest integer, as a double; for |x| < 2^50.
inline double precise_round(double x) {
    return (x + 0x1.8p52) - 0x1.8p52;
}

/// e^x for |x| <= 700.
/// \source Cephes Mathematical Library, double/exp.c
inline double precise_exp(double x) {
    const double count = precise_round(x * 1.4426950408889634073599);
    const double r = (x - count * 6.93145751953125E-1) - count * 1.42860682030941723212E-6;
    const double square = r * r;
    double odd = 1.26177193074810590878E-4;
    odd = odd * square + 3.02994407707441961300E-2;
    odd = (odd * square + 9.99999999999999999910E-1) * r;
    double even = 3.00198505138664455042E-6;
    even = even * square + 2.52448340349684104192E-3;
    even = even * square + 2.27265548208155028766E-1;
    even = even * square + 2.00000000000000000009E0;
    const double value = 1.0 + 2.0 * (odd / (even - odd));
    return value * std::bit_cast<double>((static_cast<std::int64_t>(count) + 1023) << 52);
}

/// ln x for positive normal x.
/// \source x = 2^n m with m in [0.7, 1.5); ln m = 2 artanh((m - 1) / (m + 1)), by its series
inline double precise_log(double x) {
    constexpr std::uint64_t seven_tenths = std::bit_cast<std::uint64_t>(0.7071067811865476);
    const std::uint64_t offset = std::bit_cast<std::uint64_t>(x) - seven_tenths;
    const std::int64_t count = static_cast<std::int64_t>(offset) >> 52;
    const double m = std::bit_cast<double>(std::bit_cast<std::uint64_t>(x) -
                                           (static_cast<std::uint64_t>(count) << 52));
    const double s = (m - 1.0) / (m + 1.0);
    const double square = s * s;
    double series = 0.0;
    for (int k = 23; k >= 3; k -= 2)  // s is below 0.172: s^25 / 25 is below 2^-64 of s
        series = (series + 1.0 / k) * square;
    const double n = static_cast<double>(count);
    return n * 6.93145751953125E-1 + (n * 1.42860682030941723212E-6 + (2.0 * s * series + 2.0 * s));
}

/// Sine and cosine of an angle.
struct PreciseSineCosine {
    double sine;
    double cosine;
};

/// Sine and cosine of an angle in degrees, |degrees| < 10^6.
/// \source Cephes Mathematical Library, double/sin.c (polynomials on [-pi/4, pi/4])
inline PreciseSineCosine precise_sine_cosine(double degrees) {
    const double quarters = precise_round(degrees / 90.0);
    const auto quadrant = static_cast<std::int64_t>(quarters);
    // The reduction is exact; only the step to radians rounds.
    const double y = (degrees - quarters * 90.0) * 1.74532925199432957692E-2;
    const double square = y * y;
    double sine = 1.58962301576546568060E-10;
    sine = sine * square - 2.50507477628578072866E-8;
    sine = sine * square + 2.75573136213857245213E-6;
    sine = sine * square - 1.98412698295895385996E-4;
    sine = sine * square + 8.33333333332211858878E-3;
    sine = sine * square - 1.66666666666666307295E-1;
    sine = sine * square * y + y;
    double cosine = -1.13585365213876817300E-11;
    cosine = cosine * square + 2.08757008419747316778E-9;
    cosine = cosine * square - 2.75573141792967388112E-7;
    cosine = cosine * square + 2.48015872888517045348E-5;
    cosine = cosine * square - 1.38888888888730564116E-3;
    cosine = cosine * square + 4.16666666666665929218E-2;
    cosine = cosine * (square * square) - 0.5 * square + 1.0;
    const bool swapped = (quadrant & 1) != 0;
    const double first = swapped ? cosine : sine;
    const double second = swapped ? sine : cosine;
    return {(quadrant & 2) != 0 ? -first : first, ((quadrant + 1) & 2) != 0 ? -second : second};
}

}  // namespace sluice::pool
