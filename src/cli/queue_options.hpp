#pragma once

#include "cli/options.hpp"

namespace sluice::cli {

/// `--queue DIR` of the commands that work on a queue that is there.
OptionSpec queue_option();

/// `--json FILE`: also write what was printed as JSON.
OptionSpec json_option();

}  // namespace sluice::cli
