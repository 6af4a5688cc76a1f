#pragma once

#include "stream/stream_state.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::stream {

struct PolicyOptions {
    std::string policy = "variable";  ///< canonical name
    double budget = 0.1;              ///< share of the items to ask for, in (0, 1]
    std::int64_t window = 100;        ///< items over which spending is evened out
    double threshold = 1.0;           ///< of certainty; where a variable one begins
    double step = 0.01;               ///< by which a variable threshold moves
    double spread = 1.0;              ///< deviation of the factor of variable_random
    double ridge = 0.01;              ///< of volume
    std::uint64_t seed = 0;
};

/// What a policy sees of an item.
struct Item {
    double certainty = 0.0;         ///< >= 0: the largest class probability, or 1 / deviation
    std::vector<double> direction;  ///< of `volume`
};

struct Decision {
    enum class Kind { pass, ask } kind = Kind::pass;
    double bound = 0.0;  ///< the threshold that held, or the probability of being asked for
};

/// A policy's name; the registry behind `--policy`.
struct PolicyDefinition {
    std::string name;
    std::vector<std::string> aliases;
    std::string summary;
    Decision (*decide)(const PolicyOptions& options, const Item& item, StreamState& state);
    bool needs_direction = false;
};
const std::vector<PolicyDefinition>& policy_definitions();

/// Throws Error(usage), naming the nearest one, for an unknown name.
const PolicyDefinition& find_policy(std::string_view name);

/// The state before the first item.
StreamState initial_state(const PolicyOptions& options);

/// Decides on the next item and counts it. A function of options, item and state alone. Threshold
/// policies ask for an item of low certainty while the budget allows: labels among the last items,
/// those long ago fading by (window - 1) / window an item, are below budget x window, and all so
/// far below budget x items. `volume` asks by chance; how likely is led by what is left of the
/// budget, over `window` items. \source Zliobaite et al., "Active Learning With Drifting Streaming
/// Data", IEEE TNNLS 25 (2014), algorithms 1 to 4.
Decision decide(const PolicyOptions& options, const Item& item, StreamState& state);

}  // namespace sluice::stream
