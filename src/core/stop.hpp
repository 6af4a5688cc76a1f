#pragma once

#include <optional>
#include <string>

namespace sluice {

/// Makes SIGTERM and SIGUSR1 (what schedulers send before the end) set a flag instead of ending the
/// process at once. Call once from main.
void install_stop_handler();

/// Tells when this process must be over: after `walltime_seconds`, or, if those are 0, at
/// SLURM_JOB_END_TIME (seconds since 1970) if the environment has it. From `grace_seconds` before
/// that on stop_requested() holds. Call before the work, from one thread.
void set_walltime(double walltime_seconds, double grace_seconds);

/// Seconds until SLURM_JOB_END_TIME, or until the end that set_walltime() was told, which counts
/// first; at least 0.001. Nothing if there is no such end.
std::optional<double> walltime_left();

/// Whether such a signal has come, or the walltime is nearly over. Long loops poll it and throw
/// Error(try_again).
bool stop_requested();

/// Why, for messages: `stopped by a signal` or `stopped before the walltime is over`.
std::string stop_text();

}  // namespace sluice
