#include "cli/build_text.hpp"
#include "cli/commands.hpp"
#include "core/version.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace sluice::cli {
namespace {

constexpr std::size_t page_width = 100;

// `text` in lines that fit the page, the second and later ones indented.
std::string wrapped(const std::string& text, std::size_t indent) {
    std::string result;
    std::size_t column = indent;
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string word = text.substr(begin, end - begin);
        begin = end + 1;
        if (column > indent && column + 1 + word.size() > page_width) {
            result += "\n" + std::string(indent, ' ');
            column = indent;
        }
        if (column > indent) {
            result += ' ';
            ++column;
        }
        result += word;
        column += word.size();
    }
    return result + "\n";
}

// `  LEFT    RIGHT`, with RIGHT starting in column `indent`, below if LEFT is too long.
std::string entry(const std::string& left, const std::string& right, std::size_t indent) {
    std::string start = "  " + left;
    if (start.size() + 2 > indent) {
        start += "\n" + std::string(indent, ' ');
    } else {
        start.resize(indent, ' ');
    }
    return start + wrapped(right, indent);
}

std::string option_label(const CommandSpec& spec, const OptionSpec& option) {
    std::string label = option.name == spec.positional ? option.value_name : "--" + option.name;
    if (option.name != spec.positional && !option.value_name.empty()) {
        label += " " + option.value_name;
    }
    return option.kind == OptionSpec::Kind::list ? label + "..." : label;
}

// `[rows; default 10; also --batch-size]`, or nothing.
std::string option_facts(const OptionSpec& option) {
    std::vector<std::string> facts;
    if (!option.unit.empty()) facts.push_back(option.unit);
    if (option.need == OptionSpec::Need::required) facts.emplace_back("required");
    if (!option.default_text.empty()) facts.push_back("default " + option.default_text);
    for (const std::string& alias : option.aliases)
        facts.push_back("also --" + alias);
    if (facts.empty()) return {};
    return fmt::format(" [{}]", fmt::join(facts, "; "));
}

std::string choice_lines(const std::vector<Choice>& choices) {
    std::string lines;
    for (const Choice& choice : choices) {
        std::string summary = choice.summary;
        if (!choice.aliases.empty()) {
            summary += fmt::format(" (also: {})", fmt::join(choice.aliases, ", "));
        }
        lines += entry(choice.name, summary, 22);
    }
    return lines;
}

// Choices that say what they are get a list of their own; bare words stand in the option's line.
bool has_summaries(const OptionSpec& option) {
    return std::ranges::any_of(option.choices,
                               [](const Choice& choice) { return !choice.summary.empty(); });
}

// The lists of names, each under a line such as `--score NAME:`.
std::string choices_text(const CommandSpec& spec, const std::string& before) {
    std::string text;
    for (const OptionSpec& option : spec.options) {
        if (!has_summaries(option)) continue;
        text += "\n" + before + option_label(spec, option) + ":\n" + choice_lines(option.choices);
    }
    return text;
}

std::string option_summary(const OptionSpec& option) {
    std::string summary = option.summary;
    if (!option.choices.empty() && !has_summaries(option)) {
        std::vector<std::string> names;
        for (const Choice& choice : option.choices)
            names.push_back(choice.name);
        summary += fmt::format(" ({})", fmt::join(names, " | "));
    }
    return summary + option_facts(option);
}

// The keys of the file that a command reads, section by section.
std::string file_keys_text(const std::vector<OptionSpec>& keys) {
    std::string text;
    std::string section;
    for (const OptionSpec& key : keys) {
        const std::size_t blank = key.name.find(' ');
        if (key.name.substr(0, blank) != section) {
            section = key.name.substr(0, blank);
            text += "\n[" + section + "]\n";
        }
        const bool is_list = key.kind == OptionSpec::Kind::list;
        text += entry(key.name.substr(blank + 1) + " = " + key.value_name + (is_list ? "..." : ""),
                      option_summary(key), 34);
    }
    return text;
}

constexpr const char* exit_codes =
    "exit codes:\n"
    "   0  done, or nothing to do           73  an output cannot be created\n"
    "  64  wrong option or value            74  reading or writing failed, disk full\n"
    "  65  a file's content is wrong        75  come back later\n"
    "  66  an input is missing              77  permission denied\n"
    "  69  a program or device is missing   78  an INI file is wrong\n"
    "  70  an error in sluice\n";

bool asks_for_help(const std::string& word) {
    return word == "--help" || word == "-h";
}

}  // namespace

std::string overview_text() {
    std::string text = "sluice " + version_text() +
                       "\nChooses the uncertain, then diverse rows of an HDF5 pool that are worth "
                       "a label.\n\nusage: [mpirun -n P] sluice COMMAND [OPTIONS]\n\ncommands:\n";
    for (const Command& command : commands()) {
        text += entry(command.spec.name, command.spec.summary, 22);
    }
    text += entry("help [COMMAND]", "this page, or a command's options with unit and default", 22);
    text += entry("--version", "version, commit, compiler and libraries", 22);
    for (const Command& command : commands()) {
        text += choices_text(command.spec, "sluice " + command.spec.name + " ");
    }
    return text + "\n" + exit_codes;
}

std::string command_help_text(const CommandSpec& spec) {
    std::string text = "sluice " + spec.name + ": " + spec.summary +
                       "\n\nusage: " + (spec.launch == Launch::ranks ? "[mpirun -n P] " : "") +
                       "sluice " + spec.name + " " + spec.usage + "\n\n" +
                       wrapped(spec.details, 0) + "\noptions:\n";
    for (const OptionSpec& option : spec.options) {
        text += entry(option_label(spec, option), option_summary(option), 26);
    }
    text += choices_text(spec, "");
    if (!spec.file_keys.empty()) text += "\nkeys of the file:\n" + file_keys_text(spec.file_keys);
    return text + "\n" +
           wrapped(
               "Every option may stand in the INI file of --config as `name = value`; the "
               "command line wins. A list takes one line for each value.",
               0);
}

bool is_help_command(const std::string& word) {
    return word == "help" || asks_for_help(word);
}

std::optional<std::string> information_text(std::span<const std::string> arguments) {
    if (arguments.empty()) return std::nullopt;
    if (arguments[0] == "--version" || arguments[0] == "version") return build_text();
    const bool asks_first = is_help_command(arguments[0]);
    if (asks_first && arguments.size() == 1) return overview_text();
    if (!asks_first && std::ranges::none_of(arguments, asks_for_help)) return std::nullopt;
    const Command* command = lookup_command(arguments.subspan(asks_first ? 1 : 0));
    if (command == nullptr) return std::nullopt;
    return command_help_text(command->spec);
}

}  // namespace sluice::cli
