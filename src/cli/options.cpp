#include "cli/options.hpp"

#include "cli/numbers.hpp"
#include "cli/option_sources.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace sluice::cli {
namespace {

using Texts = std::vector<std::string>;

std::string canonical_choice(const OptionSpec& option, const std::string& value,
                             const Options& options) {
    Texts names;
    for (const Choice& choice : option.choices) {
        if (choice.name == value || std::ranges::count(choice.aliases, value) > 0) {
            return choice.name;
        }
        names.push_back(choice.name);
        names.insert(names.end(), choice.aliases.begin(), choice.aliases.end());
    }
    if (option.names == OptionSpec::Names::some) return value;
    const std::string nearest = nearest_name(value, names);
    std::string remedy = nearest.empty() ? "choose one of" : "did you mean " + nearest + "? one of";
    for (const Choice& choice : option.choices)
        remedy += " " + choice.name;
    options.fail(option.name, "unknown name (" + printable(value) + "); " + remedy);
}

void add_defaults(const CommandSpec& spec, GivenOptions& given) {
    for (const OptionSpec& option : spec.options) {
        if (given.contains(option.name)) continue;
        const std::string label =
            option.name == spec.positional ? std::string() : "--" + option.name + " ";
        require(option.need == OptionSpec::Need::optional, ExitCode::usage,
                label + option.value_name + ": missing; add it: " + option.summary + " (" +
                    help_hint(spec) + ")");
        if (option.default_text.empty()) continue;
        given[option.name].values = {option.default_text};
        given[option.name].source = Options::Given::Source::standard;
    }
}

}  // namespace

std::string help_hint(const CommandSpec& spec) {
    return "see 'sluice help " + spec.name + "'";
}

const OptionSpec* find_option(const CommandSpec& spec, const std::string& name) {
    for (const OptionSpec& option : spec.options) {
        if (option.name == name || std::ranges::count(option.aliases, name) > 0) return &option;
    }
    return nullptr;
}

std::string nearest_hint(const CommandSpec& spec, const std::string& name,
                         const std::string& dashes) {
    std::vector<std::string> names;
    for (const OptionSpec& option : spec.options) {
        names.push_back(option.name);
        names.insert(names.end(), option.aliases.begin(), option.aliases.end());
    }
    const std::string nearest = nearest_name(name, names);
    if (nearest.empty()) return "; " + help_hint(spec);
    return "; did you mean " + dashes + nearest + "? (" + help_hint(spec) + ")";
}

Options parse_options(const CommandSpec& spec, std::span<const std::string> arguments,
                      std::span<const std::string> commands) {
    GivenOptions given = read_command_line(spec, arguments);
    if (const auto config = given.find("config"); config != given.end()) {
        given.merge(read_config(spec, config->second.values.front(), commands));
    }
    add_defaults(spec, given);
    const Options raw(given);
    for (const OptionSpec& option : spec.options) {
        const auto found = given.find(option.name);
        if (found == given.end()) continue;
        for (std::string& value : found->second.values) {
            if (value.empty()) raw.fail(option.name, "its value is empty; give one");
            if (!option.choices.empty()) value = canonical_choice(option, value, raw);
        }
    }
    return Options(std::move(given));
}

bool Options::flag(const std::string& name) const {
    return text(name) == "true";
}

std::string Options::text(const std::string& name) const {
    const auto found = given_.find(name);
    return found == given_.end() ? std::string() : found->second.values.front();
}

std::vector<std::string> Options::texts(const std::string& name) const {
    const auto found = given_.find(name);
    return found == given_.end() ? std::vector<std::string>() : found->second.values;
}

std::int64_t Options::count(const std::string& name, Range range) const {
    const std::string value = text(name);
    const std::optional<std::uint64_t> parsed = parse_count(value);
    if (!parsed || *parsed < range.min || *parsed > range.max) {
        fail(name, "not a whole number from " + std::to_string(range.min) + " to " +
                       std::to_string(range.max) + " (" + printable(value) +
                       "); give one in that range");
    }
    return static_cast<std::int64_t>(*parsed);
}

std::optional<std::int64_t> Options::count_or_auto(const std::string& name, Range range) const {
    if (text(name) == "auto") return std::nullopt;
    return count(name, range);
}

std::uint64_t Options::seed(const std::string& name) const {
    const std::optional<std::uint64_t> parsed = parse_digits(text(name));
    if (!parsed) {
        fail(name, "not a whole number from 0 to 18446744073709551615 (" + printable(text(name)) +
                       "); give one in that range");
    }
    return *parsed;
}

double Options::positive_number(const std::string& name) const {
    const std::optional<double> parsed = parse_number(text(name));
    if (!parsed || *parsed <= 0.0) {
        fail(name, "not a number above 0 (" + printable(text(name)) +
                       "); give one, with a point for decimals");
    }
    return *parsed;
}

void Options::fail(const std::string& name, const std::string& what) const {
    const auto found = given_.find(name);
    if (found != given_.end() && found->second.place) {
        throw Error(ExitCode::bad_config, found->second.place->text() + ": " + name + ": " + what);
    }
    throw Error(ExitCode::usage, "--" + name + ": " + what);
}

std::string Options::canonical_text() const {
    std::string result;
    for (const auto& [name, given] : given_) {
        for (const std::string& value : given.values) {
            result += name + "=" + std::to_string(value.size()) + ":" + value + "\n";
        }
    }
    return result;
}

}  // namespace sluice::cli
