#include "campaign/selection_inputs.hpp"

#include "core/text.hpp"

#include <algorithm>

namespace sluice::campaign {

void allow_input(const JsonNode& input, const std::string& from) {
    if (from == "EMBEDDINGS") return input.allow({"type", "task", "dataset_id", "tag_name"});
    if (from == "SCORES") return input.allow({"type", "task", "score"});
    if (from == "METADATA") return input.allow({"type", "key"});
    if (from == "PREDICTIONS") return input.allow({"type", "task", "name", "categories"});
    if (from == "RANDOM") return input.allow({"type", "random_seed"});
    input.fail("type", "unknown input (" + printable(from) +
                           "); use EMBEDDINGS, SCORES, METADATA, PREDICTIONS or RANDOM");
}

void need_input(const JsonNode& input, const JsonNode& strategy,
                std::initializer_list<const char*> types) {
    const std::string from = input.text("type");
    if (std::any_of(types.begin(), types.end(), [&](const char* type) { return from == type; }))
        return;
    strategy.fail("type", strategy.text("type") + " of " + from + " is not supported");
}

// 1 unless given; never 0, which would leave nothing of the strategy.
double strength_of(const JsonNode& strategy) {
    const double strength = strategy.has("strength") ? strategy.number("strength") : 1.0;
    if (strength == 0.0)
        strategy.fail("strength", "0 leaves nothing of the strategy; leave it out");
    return strength;
}

double positive_strength_of(const JsonNode& strategy) {
    const double strength = strength_of(strategy);
    if (strength < 0.0)
        strategy.fail("strength", number_text(strength) + " would turn " + strategy.text("type") +
                                      " round, for which there is no rule; give a number > 0");
    return strength;
}

std::string column_of(const JsonNode& input, const std::string& key) {
    const std::string name = input.text(key);
    if (name.empty() || name.find_first_of(" \t+*/^(),<>=!") != std::string::npos)
        input.fail(key, "'" + printable(name) +
                            "' cannot be written in a score or condition; rename the column");
    return "column:" + name;
}

}  // namespace sluice::campaign
