#pragma once

#include "kernels/canonical_math.hpp"

/// What is done to values on their way into the nets and out of them, one source for every back
/// end.
namespace sluice::kernels {

/// A feature as the nets see it.
template <class Value>
SLUICE_LANE Value network_input(Value feature, Value offset, Value factor) {
    return (feature - offset) * factor;
}

/// A prediction in the unit of its target.
template <class Value>
SLUICE_LANE Value network_prediction(Value value, Value factor, Value offset) {
    return multiply_add(value, factor, offset);
}

/// The variance of a prediction with that factor, given its logarithm.
template <class Value>
SLUICE_LANE Value network_variance(Value logarithm, Value factor) {
    return canonical_exp(logarithm) * (factor * factor);
}

/// One NaN for all that are none.
template <class Value>
SLUICE_LANE Value number_or_nan(Value value) {
    return select(equal(value, value), value, Value(not_a_number));
}

}  // namespace sluice::kernels
