#pragma once

#include <cstdint>
#include <string>

namespace sluice::queue {

/// Now by the clock of the machine that keeps the queue's files, in nanoseconds since 1970: the
/// time of a file written (and removed) in tmp/ at this moment. Times of tokens compare with it,
/// whatever the clock of this machine says. Throws Error where nothing can be written.
std::int64_t file_server_time_ns(const std::string& queue_directory);

}  // namespace sluice::queue
