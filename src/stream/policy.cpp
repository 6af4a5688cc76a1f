#include "stream/policy.hpp"

#include "core/error.hpp"
#include "core/philox.hpp"
#include "core/text.hpp"
#include "pool/made_math.hpp"
#include "stream/volume.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::stream {
namespace {

using Kind = Decision::Kind;

Philox4 words_of(const PolicyOptions& options, const StreamState& state) {
    return random_words(options.seed, RandomPurpose::stream_policy, 0,
                        static_cast<std::uint64_t>(state.seen), 0);
}

// A standard normal number. \source Box and Muller 1958
double normal(const PolicyOptions& options, const StreamState& state) {
    const Philox4 words = words_of(options, state);
    return double{std::sqrt(-2.0F * pool::made_log(unit_float(words.word[0]))) *
                  pool::made_sine_cosine(unit_float(words.word[1])).cosine};
}

// In [0, 1), 53 random bits.
double uniform(const PolicyOptions& options, const StreamState& state) {
    const Philox4 words = words_of(options, state);
    const std::uint64_t bits = (std::uint64_t{words.word[0]} << 32) | words.word[1];
    return static_cast<double>(bits >> 11) * 0x1p-53;
}

bool may_ask(const PolicyOptions& options, const StreamState& state) {
    const auto items = static_cast<double>(state.seen + 1);
    return state.spending / static_cast<double>(options.window) < options.budget &&
           static_cast<double>(state.asked) < options.budget * items;
}

Decision by_threshold(const PolicyOptions& options, const Item& item, StreamState& state) {
    const bool asks = may_ask(options, state) && item.certainty < state.threshold;
    return {asks ? Kind::ask : Kind::pass, state.threshold};
}

// The threshold falls after a question and rises after none, but not while the budget forbids all.
Decision by_variable(const PolicyOptions& options, const Item& item, double factor,
                     StreamState& state) {
    const double bound = state.threshold * factor;
    if (!may_ask(options, state)) return {Kind::pass, bound};
    const bool asks = item.certainty < bound;
    state.threshold *= asks ? 1.0 - options.step : 1.0 + options.step;
    return {asks ? Kind::ask : Kind::pass, bound};
}

Decision variable(const PolicyOptions& options, const Item& item, StreamState& state) {
    return by_variable(options, item, 1.0, state);
}

Decision variable_random(const PolicyOptions& options, const Item& item, StreamState& state) {
    return by_variable(options, item, 1.0 + options.spread * normal(options, state), state);
}

Decision by_volume(const PolicyOptions& options, const Item& item, StreamState& state) {
    const double left =
        options.budget * static_cast<double>(state.seen) - static_cast<double>(state.asked);
    const double rate =
        std::clamp(options.budget + left / static_cast<double>(options.window), 0.0, 1.0);
    const double gain = relative_gain(item.direction, options.ridge, state);
    const double probability = std::min(1.0, rate * gain);
    if (uniform(options, state) >= probability) return {Kind::pass, probability};
    add_to_volume(item.direction, state);
    return {Kind::ask, probability};
}

}  // namespace

const std::vector<PolicyDefinition>& policy_definitions() {
    static const std::vector<PolicyDefinition> definitions = {
        {"threshold",
         {"fixed_uncertainty", "fixed"},
         "asks if the certainty is below a fixed threshold",
         by_threshold},
        {"variable",
         {"var_uncertainty", "variable_uncertainty"},
         "the threshold falls with each question and rises without, so that it follows the stream",
         variable},
        {"variable_random",
         {"rand_var_uncertainty", "random_variable_uncertainty"},
         "the same, times a random factor: certain items are asked for at times, which shows drift",
         variable_random},
        {"volume",
         {"vessal", "volume_sampling"},
         "by chance, the likelier the more an item adds to the volume of those asked for",
         by_volume,
         true},
    };
    return definitions;
}

const PolicyDefinition& find_policy(std::string_view name) {
    std::vector<std::string> names;
    for (const PolicyDefinition& definition : policy_definitions()) {
        if (definition.name == name || std::ranges::count(definition.aliases, name) > 0) {
            return definition;
        }
        names.push_back(definition.name);
        names.insert(names.end(), definition.aliases.begin(), definition.aliases.end());
    }
    const std::string nearest = nearest_name(name, names);
    throw Error(
        ExitCode::usage,
        "--policy: unknown policy '" + printable(std::string(name)) + "'; " +
            (nearest.empty() ? "see 'sluice help stream'" : "did you mean " + nearest + "?"));
}

StreamState initial_state(const PolicyOptions& options) {
    StreamState state;
    state.threshold = options.threshold;
    return state;
}

Decision decide(const PolicyOptions& options, const Item& item, StreamState& state) {
    const Decision decision = find_policy(options.policy).decide(options, item, state);
    const bool asks = decision.kind == Kind::ask;
    const auto window = static_cast<double>(options.window);
    state.spending = state.spending * ((window - 1.0) / window) + (asks ? 1.0 : 0.0);
    state.asked += asks ? 1 : 0;
    ++state.seen;
    return decision;
}

}  // namespace sluice::stream
