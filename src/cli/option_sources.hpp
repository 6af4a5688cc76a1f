#pragma once

#include "cli/options.hpp"

#include <map>
#include <span>
#include <string>

namespace sluice::cli {

/// Values by the option's canonical name.
using GivenOptions = std::map<std::string, Options::Given>;

/// What the words of a command line give; Error(usage) for what `spec` does not know.
GivenOptions read_command_line(const CommandSpec& spec, std::span<const std::string> arguments);

/// What an INI file gives to the command `spec`; `commands` are the sections it may have.
/// Error(bad_config) with line and column for what `spec` does not know.
GivenOptions read_config(const CommandSpec& spec, const std::string& path,
                         std::span<const std::string> commands);

/// The option with this name or alias, or null.
const OptionSpec* find_option(const CommandSpec& spec, const std::string& name);

/// The end of an error message: `; did you mean --NAME? (see 'sluice help COMMAND')`.
std::string nearest_hint(const CommandSpec& spec, const std::string& name,
                         const std::string& dashes);

/// `see 'sluice help COMMAND'`.
std::string help_hint(const CommandSpec& spec);

}  // namespace sluice::cli
