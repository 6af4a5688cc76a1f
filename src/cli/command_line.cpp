#include "cli/numbers.hpp"
#include "cli/option_sources.hpp"
#include "core/text.hpp"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/positional_options.hpp>
#include <boost/program_options/value_semantic.hpp>
#include <boost/program_options/variables_map.hpp>

#include <algorithm>

namespace po = boost::program_options;

namespace sluice::cli {
namespace {

using Texts = std::vector<std::string>;

// Words without an option in front of them; no option can have this name.
constexpr const char* loose_words = "loose words";

po::options_description describe(const CommandSpec& spec) {
    po::options_description description;
    auto add = description.add_options();
    for (const OptionSpec& option : spec.options) {
        const char* name = option.name.c_str();
        switch (option.kind) {
            case OptionSpec::Kind::flag:
                add(name, po::bool_switch());
                break;
            case OptionSpec::Kind::single:
                add(name, po::value<std::string>());
                break;
            case OptionSpec::Kind::list:
                add(name, po::value<Texts>()->multitoken());
                break;
        }
    }
    add(loose_words, po::value<Texts>());
    return description;
}

[[noreturn]] void fail_unknown(const CommandSpec& spec, const std::string& dashes,
                               const std::string& name) {
    throw Error(ExitCode::usage,
                dashes + printable(name) + ": unknown option" + nearest_hint(spec, name, "--"));
}

[[noreturn]] void fail_missing(const CommandSpec& spec, const std::string& option) {
    throw Error(ExitCode::usage,
                option + ": its value is missing; give one (" + help_hint(spec) + ")");
}

// Words with aliases replaced, so that an option and its alias count as the same one. Options in
// the place of a value are found here: Boost would take `--batch --dry-run` as a batch of that
// name.
Texts canonical_words(const CommandSpec& spec, std::span<const std::string> arguments) {
    Texts words;
    bool awaits_value = false;
    for (const std::string& word : arguments) {
        const bool is_short = word.size() > 1 && word[0] == '-' && word[1] != '-';
        if (is_short && !parse_number(word)) fail_unknown(spec, "-", word.substr(1));
        if (!word.starts_with("--")) {
            words.push_back(word);
            awaits_value = false;
            continue;
        }
        if (awaits_value) fail_missing(spec, words.back());
        const std::size_t equals = std::min(word.find('='), word.size());
        const std::string name = word.substr(2, equals - 2);
        const OptionSpec* option = find_option(spec, name);
        if (option == nullptr) fail_unknown(spec, "--", name);
        words.push_back("--" + option->name + word.substr(equals));
        awaits_value = equals == word.size() && option->kind != OptionSpec::Kind::flag;
    }
    return words;
}

po::variables_map parse_words(const CommandSpec& spec, const Texts& words) {
    const po::options_description description = describe(spec);
    po::positional_options_description positional;
    positional.add(loose_words, -1);
    namespace style = po::command_line_style;
    po::command_line_parser parser(words);
    parser.options(description)
        .style(style::allow_long | style::long_allow_next | style::long_allow_adjacent)
        .positional(positional);
    po::variables_map values;
    po::store(parser.run(), values);
    return values;
}

[[noreturn]] void fail_syntax(const CommandSpec& spec,
                              const po::invalid_command_line_syntax& error) {
    const std::string option = printable(error.get_option_name());
    if (error.kind() != po::invalid_syntax::extra_parameter) fail_missing(spec, option);
    throw Error(ExitCode::usage,
                option + ": takes no value; write it alone (" + help_hint(spec) + ")");
}

[[noreturn]] void fail_repeated(const std::string& name) {
    throw Error(ExitCode::usage, name + ": given more than once; give it one value");
}

po::variables_map parse_checked(const CommandSpec& spec, const Texts& words) {
    try {
        return parse_words(spec, words);
    } catch (const po::multiple_occurrences& error) {
        fail_repeated(printable(error.get_option_name()));
    } catch (const po::invalid_command_line_syntax& error) {
        fail_syntax(spec, error);
    } catch (const po::error& error) {
        throw Error(ExitCode::usage, printable(error.what()) + "; " + help_hint(spec));
    }
}

void add_loose_words(const CommandSpec& spec, const Texts& words, GivenOptions& given) {
    require(!spec.positional.empty(), ExitCode::usage,
            "unexpected word (" + printable(words.front()) +
                "); an option starts with -- and takes one value, unless help says otherwise (" +
                help_hint(spec) + ")");
    const OptionSpec& option = *find_option(spec, spec.positional);
    if (option.kind == OptionSpec::Kind::single) {
        require(words.size() == 1, ExitCode::usage,
                "unexpected word (" + printable(words.back()) + ") after " + option.value_name +
                    "; give one " + option.value_name + " (" + help_hint(spec) + ")");
        if (given.contains(option.name)) fail_repeated(option.value_name);
    }
    Texts& values = given[option.name].values;
    values.insert(values.begin(), words.begin(), words.end());
}

}  // namespace

GivenOptions read_command_line(const CommandSpec& spec, std::span<const std::string> arguments) {
    const po::variables_map values = parse_checked(spec, canonical_words(spec, arguments));
    GivenOptions given;
    for (const OptionSpec& option : spec.options) {
        const po::variable_value& value = values[option.name];
        if (value.empty() || value.defaulted()) continue;
        switch (option.kind) {
            case OptionSpec::Kind::flag:
                given[option.name].values = {"true"};
                break;
            case OptionSpec::Kind::single:
                given[option.name].values = {value.as<std::string>()};
                break;
            case OptionSpec::Kind::list:
                given[option.name].values = value.as<Texts>();
                break;
        }
    }
    if (const po::variable_value& words = values[loose_words]; !words.empty()) {
        add_loose_words(spec, words.as<Texts>(), given);
    }
    return given;
}

}  // namespace sluice::cli
