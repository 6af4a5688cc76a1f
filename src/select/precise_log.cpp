#include "select/precise_log.hpp"

#include <bit>
#include <cstdint>

namespace sluice::select {
namespace {

constexpr std::uint64_t mantissa_bits = 0x000FFFFFFFFFFFFFU;

// 2 artanh s for |s| < 0.172, by its series.
double twice_artanh(double s) {
    const double square = s * s;
    double series = 0.0;
    for (int odd = 25; odd >= 3; odd -= 2)
        series = (series + 1.0 / odd) * square;
    return 2.0 * s + 2.0 * s * series;
}

}  // namespace

// \source ln m = 2 artanh s, s = (m - 1) / (m + 1), by its series for m in [sqrt(1/2), sqrt(2)).
double precise_log(double x) {
    constexpr std::uint64_t root_half = 0x3FE6A09E667F3BCDU;
    const std::uint64_t shifted = std::bit_cast<std::uint64_t>(x) - root_half;
    const auto exponent = static_cast<double>(static_cast<std::int64_t>(shifted) >> 52);
    const double m = std::bit_cast<double>((shifted & mantissa_bits) + root_half);
    // ln 2 in two parts, the first of which times any exponent is exact.
    return exponent * 0x1.62e42fefa3800p-1 +
           (exponent * 0x1.ef35793c76730p-45 + twice_artanh((m - 1.0) / (m + 1.0)));
}

double minus_log_of_rest(double x) {
    return x < 0.25 ? twice_artanh(x / (2.0 - x)) : -precise_log(1.0 - x);
}

}  // namespace sluice::select
