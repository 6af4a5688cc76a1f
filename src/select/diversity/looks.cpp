#include "select/diversity/looks.hpp"

#include "select/diversity/packed_dots.hpp"

#include <cmath>
#include <limits>

namespace sluice::select {

void Looks::add(std::span<const double> direction, double variance) {
    directions_.insert(directions_.end(), direction.begin(), direction.end());
    variances_.push_back(variance);
    const double factor = 1.0 / std::sqrt(variance);
    for (const double value : direction)
        scaled_.push_back(static_cast<float>(value * factor));
    // Above what the roundings take from the length, and what numbers below the smallest normal
    // ones lose.
    const double length = std::sqrt(dot(direction, direction)) * factor * (1.0 + 1e-6) + 1e-36;
    lengths_.push_back(
        std::nextafter(static_cast<float>(length), std::numeric_limits<float>::infinity()));
}

}  // namespace sluice::select
