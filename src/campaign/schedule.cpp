#include "campaign/schedule.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "select/score_expression.hpp"
#include "select/two_stage.hpp"

#include <charconv>
#include <limits>
#include <optional>

namespace sluice::campaign {
namespace {

constexpr std::int64_t last_round = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::optional<std::int64_t> round_number(std::string_view text) {
    std::int64_t value = 0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size() || value < 1) return std::nullopt;
    return value;
}

[[noreturn]] void fail(const std::string& where, std::string_view part, const std::string& what) {
    throw Error(ExitCode::bad_config, where + ": " + what + " (" + printable(part) + ")");
}

std::string known_score(std::string_view text, const std::string& where) {
    try {
        return select::canonical_score(text);
    } catch (const Error& error) {
        throw Error(ExitCode::bad_config, where + ": " + error.what());
    }
}

// The registries know the names' aliases and the nearest ones.
template <typename Find>
std::string known_name(const Find& find, std::string_view name, const std::string& where) {
    try {
        return find(name).name;
    } catch (const Error& error) {
        throw Error(ExitCode::bad_config, where + ": " + error.what());
    }
}

}  // namespace

Schedule Schedule::parse(std::string_view text, const BatchStrategy& otherwise,
                         const std::string& where) {
    Schedule schedule(otherwise);
    while (!trimmed(text).empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        const std::string_view part = trimmed(text.substr(0, comma));
        text.remove_prefix(std::min(comma + 1, text.size()));
        const std::size_t colon = part.find(':');
        const std::size_t slash = part.rfind('/');  // the score may divide
        if (colon == std::string_view::npos || slash == std::string_view::npos || slash < colon) {
            fail(where, part, "not ROUNDS:SCORE/DIVERSIFY, as in 2-3:random/k_center");
        }
        const std::string_view rounds = trimmed(part.substr(0, colon));
        const std::size_t dash = rounds.find('-');
        const bool is_open = dash != std::string_view::npos && dash + 1 == rounds.size();
        const auto first = round_number(rounds.substr(0, dash));
        const auto last = dash == std::string_view::npos ? first
                          : is_open                      ? std::optional(last_round)
                                                         : round_number(rounds.substr(dash + 1));
        if (!first || !last || *last < *first) fail(where, part, "not rounds as in 2, 2-3 or 4-");
        const std::string_view score = trimmed(part.substr(colon + 1, slash - colon - 1));
        const std::string_view diversity = trimmed(part.substr(slash + 1));
        schedule.entries_.push_back(
            {*first,
             *last,
             {known_score(score, where), known_name(select::find_diversity, diversity, where)}});
    }
    return schedule;
}

const BatchStrategy& Schedule::of_round(std::int64_t round) const {
    for (const Entry& entry : entries_) {
        if (entry.first <= round && round <= entry.last) return entry.strategy;
    }
    return otherwise_;
}

std::vector<BatchStrategy> Schedule::strategies() const {
    std::vector<BatchStrategy> all = {otherwise_};
    for (const Entry& entry : entries_)
        all.push_back(entry.strategy);
    return all;
}

}  // namespace sluice::campaign
