#pragma once

#include "kernels/canonical_math.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sluice::kernels {

/// Distance of `got` from `exact` in units of the last place of the float nearest to `exact`;
/// the denormals' spacing below the normal range.
inline double error_in_ulps(float got, double exact) {
    int exponent = 0;
    std::frexp(exact, &exponent);
    return std::abs(static_cast<double>(got) - exact) /
           std::ldexp(1.0, std::max(exponent - 24, -149));
}

/// The largest of measure(got, exact) over every `step`-th float from `from` to `to`, both of one
/// sign.
template <class Function, class Exact, class Measure>
double worst_of(float from, float to, std::uint32_t step, Function function, Exact exact,
                Measure measure) {
    double worst = 0.0;
    const std::uint32_t end = bits_of(to);
    for (std::uint32_t bits = bits_of(from); bits <= end; bits += step) {
        const float x = float_of_bits(bits);
        const double error = measure(function(x), exact(static_cast<double>(x)));
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

template <class Function, class Exact>
double worst_error(float from, float to, std::uint32_t step, Function function, Exact exact) {
    return worst_of(from, to, step, function, exact, error_in_ulps);
}

}  // namespace sluice::kernels
