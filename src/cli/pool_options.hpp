#pragma once

#include "cli/options.hpp"
#include "kernels/backend.hpp"
#include "pool/pool.hpp"

#include <string>
#include <vector>

namespace sluice::cli {

/// `--pool` and the options that name datasets (`--features /path/in/file`, ...).
std::vector<OptionSpec> pool_options();

/// The pool those options ask for.
pool::PoolSource pool_source(const Options& options);

/// `--config`, which every command has.
OptionSpec config_option();

/// `--threads`: a number, or `auto` for this rank's share of the node's cores.
OptionSpec threads_option();

/// Its value; 0 = auto.
int num_threads(const Options& options);

/// `--device`: where kernels run.
OptionSpec device_option();

/// Its value.
kernels::DeviceChoice device_choice(const Options& options);

/// `--memory` of each rank; `holds` says for what, as in "buffers".
OptionSpec memory_option(const std::string& holds);

/// `--block-rows`; `suits` says what auto goes by, as in "the files".
OptionSpec block_rows_option(const std::string& suits);

}  // namespace sluice::cli
