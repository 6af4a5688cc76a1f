#include "pool/made_precise.hpp"
#include "select/precise_log.hpp"
#include "select/score_expression.hpp"

#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

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
