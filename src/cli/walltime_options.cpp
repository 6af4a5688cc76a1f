#include "cli/walltime_options.hpp"

#include "core/stop.hpp"

#include <algorithm>

namespace sluice::cli {
namespace {

constexpr double seconds_per_minute = 60.0;

}  // namespace

std::vector<OptionSpec> walltime_options() {
    return {
        {.name = "walltime",
         .value_name = "X",
         .summary = "end before this time is over, with exit code 75 if there is more to do; "
                    "without it, SLURM_JOB_END_TIME counts",
         .unit = "min"},
        {.name = "grace",
         .value_name = "S",
         .summary = "time that is kept free before the walltime's end",
         .unit = "s",
         .default_text = "30"},
    };
}

bool is_walltime_option(const std::string& name) {
    return std::ranges::any_of(walltime_options(),
                               [&](const OptionSpec& option) { return option.name == name; });
}

void heed_walltime(const Options& options) {
    const double walltime =
        options.has("walltime") ? options.positive_number("walltime") * seconds_per_minute : 0.0;
    set_walltime(walltime, options.positive_number("grace"));
}

}  // namespace sluice::cli
