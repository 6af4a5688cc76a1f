#pragma once

#include "core/error.hpp"
#include "core/ini_file.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice::cli {

/// One of the names an option takes; comes from a registry.
struct Choice {
    std::string name;
    std::vector<std::string> aliases = {};
    std::string summary = {};
};

/// The entries of a registry, with name, summary and, where they have them, aliases.
template <typename Definitions>
std::vector<Choice> choices_of(const Definitions& definitions) {
    std::vector<Choice> choices;
    for (const auto& definition : definitions) {
        Choice& choice = choices.emplace_back();
        choice.name = definition.name;
        choice.summary = definition.summary;
        if constexpr (requires { definition.aliases; }) choice.aliases = definition.aliases;
    }
    return choices;
}

/// Everything about one option: what the parser accepts and what help shows.
struct OptionSpec {
    enum class Kind { flag, single, list };
    enum class Need { optional, required };

    std::string name;        ///< without dashes; also the key in an INI file
    std::string value_name;  ///< stands for the value in help; empty for a flag
    std::string summary;
    std::string unit = {};
    std::string default_text = {};  ///< taken as if it had been given; empty = none
    Kind kind = Kind::single;
    Need need = Need::optional;
    std::vector<std::string> aliases = {};
    std::vector<Choice> choices = {};                   ///< the only values, when there are any
    enum class Names { all, some } names = Names::all;  ///< some: other values are legal too
};

/// Whether a command is one job of many MPI ranks, or a process of its own that never starts MPI
/// (any number of them may run side by side).
enum class Launch { ranks, alone };

/// One command's command line.
struct CommandSpec {
    std::string name;     ///< one or two words, as in "pool make"
    std::string summary;  ///< one line
    std::string usage;    ///< what follows the name in the usage line
    std::string details;  ///< a paragraph for `sluice help COMMAND`
    std::vector<OptionSpec> options;
    std::string positional = {};  ///< the option that takes words without a name; empty = none
    Launch launch = Launch::ranks;
    std::vector<OptionSpec> file_keys = {};  ///< `SECTION NAME`: keys of the file the command reads
};

/// Smallest and largest number an option takes.
struct Range {
    std::uint64_t min = 0;
    std::uint64_t max = 0;
};

/// What the user asked for. Values come from the command line, else from the INI file, else from
/// the option's default. Getters check the value; their errors are Error(usage) naming the option,
/// or Error(bad_config) with file, line and column when the value stood in an INI file.
class Options {
  public:
    /// One option's value or values, and where they were written if in an INI file.
    struct Given {
        std::vector<std::string> values;
        std::optional<IniPlace> place;
        enum class Source { user, standard } source = Source::user;
    };

    explicit Options(std::map<std::string, Given> given) : given_(std::move(given)) {}

    /// Whether the option has a value, be it the default.
    bool has(const std::string& name) const { return given_.contains(name); }

    /// Whether the user gave it a value.
    bool is_given(const std::string& name) const {
        return has(name) && given_.at(name).source == Given::Source::user;
    }

    /// A flag's state.
    bool flag(const std::string& name) const;

    /// The value as written; empty if there is none.
    std::string text(const std::string& name) const;
    std::vector<std::string> texts(const std::string& name) const;

    /// A count (see parse_count) in `range`.
    std::int64_t count(const std::string& name, Range range) const;

    /// As count; the word `auto` gives nothing.
    std::optional<std::int64_t> count_or_auto(const std::string& name, Range range) const;

    /// Digits only, 0 to 2^64-1.
    std::uint64_t seed(const std::string& name) const;

    /// A finite number > 0.
    double positive_number(const std::string& name) const;

    /// Throws the error of this option's value: `--NAME: WHAT` or `FILE:LINE:COLUMN: NAME: WHAT`.
    [[noreturn]] void fail(const std::string& name, const std::string& what) const;

    /// All names and values as one text, the same for the same request.
    std::string canonical_text() const;

  private:
    std::map<std::string, Given> given_;
};

/// Parses the words after a command's name by `spec`, and the INI file of `--config` if given (a
/// `[section]` with the name of one of `commands` holds that command's options). Names of choices
/// are replaced by their canonical spelling. Throws Error(usage) for the command line and
/// Error(bad_config) for the file, naming the nearest known word.
Options parse_options(const CommandSpec& spec, std::span<const std::string> arguments,
                      std::span<const std::string> commands);

}  // namespace sluice::cli
