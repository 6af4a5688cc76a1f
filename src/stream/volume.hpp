#pragma once

#include "stream/stream_state.hpp"

#include <span>

namespace sluice::stream {

/// The gain in volume of an item x relative to the mean over all items so far, this one included:
/// x' S^-1 x / mean of x' S^-1 x. Takes the item into the sum of squares. The first item sets the
/// dimension and S = `ridge` times the identity. Throws Error(bad_data) for another dimension. Cost
/// d^2. \source Saran et al., "Streaming Active Learning with Deep Neural Networks", ICML 2023,
///         equation 4.
double relative_gain(std::span<const double> x, double ridge, StreamState& state);

/// Adds x x' to S, whose inverse is kept (Sherman and Morrison).
void add_to_volume(std::span<const double> x, StreamState& state);

}  // namespace sluice::stream
