#pragma once

#include "oracle/oracle_run.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

namespace sluice::oracle {

/// Names a lease within a worker.
using LeaseNumber = std::int64_t;

/// What one run of the oracle came to.
struct EndedRun {
    LeaseNumber lease = 0;
    std::vector<queue::ItemResult> results;  ///< final, in the order of the items
    std::vector<queue::TicketItem> again;    ///< without a result: to be run again, or given back
    bool asks_to_stop = false;
    std::string log_tail;
    double seconds_per_item = 0.0;
};

/// The places where oracles run at the same time, and the tries that each item has had.
///
/// Items are tried again as the oracle's retries allow, by reason. In jsonl mode a process that
/// fails in the middle fails the first item it has not answered; those behind it are run again.
/// What a stopped process has answered counts, and nothing else does.
class Slots {
  public:
    Slots(OracleSetup setup, int count);

    bool any_free() const { return std::ssize(runs_) < count_; }
    bool any_busy() const { return !runs_.empty() || !unfit_.empty(); }

    /// Whether collect() has something without waiting for a process.
    bool any_ended() const { return !unfit_.empty(); }

    /// Starts the oracle on one item, or in jsonl mode on several, in a free slot. An item whose
    /// values no template or command can take (an id that would be an option) ends as `invalid`.
    void start(LeaseNumber lease, std::vector<queue::TicketItem> items);

    /// The runs that have ended since the last call.
    std::vector<EndedRun> collect();

    void stop_all();
    void stop(LeaseNumber lease);

    /// Kills everything at once.
    void clear() { runs_.clear(); }

  private:
    struct History {
        std::map<queue::ItemStatus, int> failures;
        int tries = 0;
        double wall_seconds = 0.0;
        double cpu_seconds = 0.0;
    };
    struct Slot {
        LeaseNumber lease = 0;
        std::unique_ptr<OracleRun> run;
    };
    using ItemKey = std::pair<LeaseNumber, std::int64_t>;

    EndedRun end_of(Slot& slot);
    void sort_result(queue::ItemResult result, const queue::TicketItem& item, EndedRun& ended);
    void keep_evidence(OracleRun& run, EndedRun& ended);

    OracleSetup setup_;
    std::int64_t count_;
    std::vector<Slot> runs_;
    std::vector<EndedRun> unfit_;  ///< items that no process could be started for
    std::map<ItemKey, History> histories_;
};

}  // namespace sluice::oracle
