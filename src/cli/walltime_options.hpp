#pragma once

#include "cli/options.hpp"

#include <string>
#include <vector>

namespace sluice::cli {

/// `--walltime` and `--grace`: when a command that takes long stops, with exit code 75.
std::vector<OptionSpec> walltime_options();

/// Whether it is one of them.
bool is_walltime_option(const std::string& name);

/// Makes stop_requested() heed them, or SLURM_JOB_END_TIME without them.
void heed_walltime(const Options& options);

}  // namespace sluice::cli
