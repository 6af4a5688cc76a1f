#pragma once

#include "cli/options.hpp"

namespace sluice::cli {

/// The options of `sluice select`.
CommandSpec select_spec();

}  // namespace sluice::cli
