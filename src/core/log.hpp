#pragma once

#include <string>

namespace sluice {

/// Says who writes: information and warnings come from rank 0 alone. Call once after MPI starts;
/// without a call the process is rank 0 of 1.
void set_log_rank(int rank, int num_ranks);

/// True on rank 0, the one that logs.
bool log_is_visible();

/// One line on stderr from rank 0: `sluice: MESSAGE`.
void log_info(const std::string& message);

/// One line on stderr from rank 0: `sluice: warning: MESSAGE`.
void log_warning(const std::string& message);

/// Whether an error concerns all ranks alike (agreed on, printed by one) or only the one that
/// prints it, which is then named in a job of several ranks.
enum class ErrorScope { whole_job, this_rank };

/// One line on stderr from whichever rank calls: `sluice: error: [rank R: ]MESSAGE`.
void log_error(const std::string& message, ErrorScope scope);

}  // namespace sluice
