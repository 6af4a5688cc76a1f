#pragma once

#include <cstdint>
#include <string>

namespace sluice::queue {

/// How long items of a queue wait: from the publication of their batch to the result that they come
/// back with, by the times of the files.
struct QueueWaits {
    std::int64_t done = 0;  ///< items in result files that can be read, given back ones left out
    double median_seconds = 0.0;   ///< of them; the lower one of two
    double longest_seconds = 0.0;  ///< of them
    std::int64_t open = 0;         ///< items of tickets that wait or are worked on
    double oldest_issue = 0.0;     ///< when the first of their batches came, seconds since 1970
};

/// Reads the queue; changes nothing. What cannot be read is left out. Local.
QueueWaits queue_waits(const std::string& queue_directory);

}  // namespace sluice::queue
