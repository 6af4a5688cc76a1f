#pragma once

#include "queue/item_state.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sluice::queue {

/// Where a queue stands.
struct QueueStatus {
    std::int64_t batches = 0;
    std::int64_t items = 0;
    std::map<ItemState, std::int64_t> counts;
    std::map<std::pair<ItemState, std::string>, std::int64_t>
        reasons;               ///< failures by state and reason
    std::int64_t repeats = 0;  ///< labels handed in more than once
    std::int64_t leases = 0;
    std::string oldest_lease;           ///< `BATCH-TICKET by NAME-PROCESS`, empty without one
    double oldest_lease_seconds = 0.0;  ///< since its last sign of life, by the file server's clock
    std::map<std::string, std::int64_t> leases_by_holder;  ///< NAME -> leases
    double items_per_second = 0.0;       ///< finished over the last 10 minutes of work
    std::optional<double> seconds_left;  ///< open items over that rate
    double oracle_seconds = 0.0;         ///< wall time of all results
    std::vector<std::string> damaged;    ///< result files that cannot be read
};

/// By which clock the age of a lease is told: that of the machine that keeps the files, for which a
/// file is written and removed in tmp/; or the time of the queue's newest file, which only looks.
enum class LeaseClock { file_server, newest_file };

/// Reads the queue; changes nothing that lasts. Tickets with one result file are counted by its
/// seal alone.
QueueStatus queue_status(const std::string& queue_directory,
                         LeaseClock clock = LeaseClock::file_server);

/// For people, and as one JSON object.
std::string status_text(const QueueStatus& status);
std::string status_json(const QueueStatus& status);

}  // namespace sluice::queue
