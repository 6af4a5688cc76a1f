#pragma once

#include <span>

namespace sluice::kernels {

/// values[i] = canonical_exp(values[i] / divisor).
void exponentials(std::span<float> values, float divisor);

/// The sum over i of weights[i] * max(0, similar[i] - covered[i]) in float64, in four chains: those
/// of i = 0, 1, 2, 3 modulo 4, added as (0 + 1) + (2 + 3). The same on every instruction set.
double uncovered_sum(std::span<const float> similar, std::span<const float> covered,
                     std::span<const double> weights);

}  // namespace sluice::kernels
