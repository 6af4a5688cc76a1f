#pragma once

#include "queue/token.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sluice::queue {

/// What one look at the leases did.
struct ReapReport {
    std::int64_t leases = 0;       ///< seen
    std::int64_t requeued = 0;     ///< back to pending with attempt + 1
    std::int64_t quarantined = 0;  ///< lost max_attempts times
    std::int64_t finished = 0;     ///< all their items had results: token removed
    std::int64_t suspects =
        0;  ///< overdue by the file server's clock, but not yet watched for long enough
    std::chrono::seconds wait{0};  ///< until the first suspect can be reaped if it stays silent
};

/// Takes back leases whose holder is gone. A lease is reaped when
///  - its holder ran on this machine and its process is gone, at once; or
///  - it is older than its lease by the file server's clock (against a probe file written at that
///  moment), and
///    this object has itself seen it unchanged for a whole lease, by a clock that cannot jump.
/// So no clock of any machine has to be right, and a clock that jumps steals nothing. A token from
/// the future is warned of and watched all the same. Any number of reapers may run; a rename
/// decides.
class Reaper {
  public:
    explicit Reaper(std::string queue_directory);

    ReapReport look();

  private:
    struct Sighting {
        std::int64_t modified_ns = 0;
        std::chrono::steady_clock::time_point since;
    };

    bool is_lost(const Token& token, ReapReport& report);
    bool is_overdue(const Token& token, std::int64_t modified_ns);
    std::chrono::steady_clock::duration watched(const Token& token, std::int64_t modified_ns);
    void forget_ended(const std::vector<std::string>& names);
    void reap(const std::vector<Token>& lost, ReapReport& report);
    void warn_once(const std::string& subject, const std::string& message);

    std::string queue_directory_;
    std::map<std::string, Sighting> seen_;
    std::optional<std::int64_t> now_ns_;  ///< by the file server's clock, for the present look
    std::set<std::string> warned_;
};

}  // namespace sluice::queue
