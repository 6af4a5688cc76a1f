#pragma once

#include <algorithm>
#include <cstdint>

namespace sluice::model {

/// Which rows a committee may label itself: those whose class probabilities, its members' mean,
/// have an entropy (natural logarithm) below a bound that falls from round to round. Such
/// pseudo-labels are for one training only, and are judged again from nothing in the next round.
/// \source Wang et al., "Cost-Effective Active Learning for Deep Image Classification", IEEE TCSVT
///         27 (2017), algorithm 1.
struct PseudoRules {
    double delta = 0.0;     ///< the bound of round 0; 0 = no pseudo-labels
    double decay = 0.0;     ///< less in each round
    std::int64_t most = 0;  ///< at most so many, the most confident first; 0 = as many as labels
    float weight = 1.0F;    ///< of a pseudo-label in training, > 0; a label has 1

    bool is_used() const { return delta > 0.0; }

    /// The bound of a round, never below 0.
    double delta_of(std::int64_t round) const {
        return std::max(0.0, delta - static_cast<double>(round) * decay);
    }

    std::int64_t most_of(std::int64_t num_labels) const { return most > 0 ? most : num_labels; }
};

}  // namespace sluice::model
