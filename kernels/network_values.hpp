#pragma once

#include "kernels/canonical_math.hpp"

#include <cstdint>

namespace sluice::kernels {

/// What is done to one value on its way into the nets and out of them, one source for every back
/// end.

/// A feature as the nets see it.
SLUICE_LANE float network_input(float feature, float offset, float factor) {
    return (feature - offset) * factor;
}

/// A prediction in the unit of its target.
SLUICE_LANE float network_prediction(float value, float factor, float offset) {
    return multiply_add(value, factor, offset);
}

/// The variance of a prediction with that factor, given its logarithm.
SLUICE_LANE float network_variance(float logarithm, float factor) {
    return canonical_exp(logarithm) * (factor * factor);
}

/// One NaN for all that are none.
SLUICE_LANE float number_or_nan(float value) {
    return differ(value, value) ? not_a_number : value;
}

}  // namespace sluice::kernels
