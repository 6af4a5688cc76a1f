#include "pool/made_precise.hpp"
#include "select/score_expression.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace sluice::select {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint64_t mantissa_bits = 0x000FFFFFFFFFFFFFU;

// Natural logarithm of a positive normal float64, within 2 units in the last place, in operations
// that round alike everywhere (the system's libm does not promise that).
// \source ln m = 2 artanh s, s = (m - 1) / (m + 1), by its series for m in [sqrt(1/2), sqrt(2)).
double precise_log(double x) {
    constexpr std::uint64_t root_half = 0x3FE6A09E667F3BCDU;
    const std::uint64_t shifted = std::bit_cast<std::uint64_t>(x) - root_half;
    const auto exponent = static_cast<double>(static_cast<std::int64_t>(shifted) >> 52);
    const double m = std::bit_cast<double>((shifted & mantissa_bits) + root_half);
    const double s = (m - 1.0) / (m + 1.0);
    const double square = s * s;
    double series = 0.0;
    for (int odd = 25; odd >= 3; odd -= 2)
        series = (series + 1.0 / odd) * square;
    // ln 2 in two parts, the first of which times any exponent is exact.
    return exponent * 0x1.62e42fefa3800p-1 +
           (exponent * 0x1.ef35793c76730p-45 + 2.0 * s + 2.0 * s * series);
}

}  // namespace

double power_of(double x, double strength) {
    if (strength == 1.0) return x;
    if (x == 0.0) return strength > 0.0 ? 0.0 : not_a_number;
    if (strength == -1.0) return 1.0 / x;
    if (strength == 2.0) return x * x;
    const bool is_whole = strength == std::floor(strength);
    if (x < 0.0 && !is_whole) return not_a_number;
    if (strength == 0.5) return std::sqrt(x);
    const double exponent = strength * precise_log(std::abs(x));
    if (exponent > 700.0) return std::numeric_limits<double>::infinity();
    const double size = exponent < -700.0 ? 0.0 : pool::precise_exp(exponent);
    const bool is_odd = std::floor(strength / 2.0) * 2.0 != strength;
    return x < 0.0 && is_odd ? -size : size;
}

}  // namespace sluice::select
