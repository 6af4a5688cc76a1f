#pragma once

#include "cli/options.hpp"

#include <string>

namespace sluice::cli {

/// `--queue DIR` of the commands that work on a queue that is there.
OptionSpec queue_option();

/// Its value, without slashes at the end.
std::string queue_directory(const Options& options);

/// `--json FILE`: also write what was printed as JSON.
OptionSpec json_option();

}  // namespace sluice::cli
