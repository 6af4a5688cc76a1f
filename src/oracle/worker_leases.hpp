#pragma once

#include "oracle/breaker.hpp"
#include "oracle/worker.hpp"
#include "queue/claim.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sluice::oracle {

/// A ticket this worker holds. Each of its items is waiting, running, finished (but not yet handed
/// in) or handed in.
struct Lease {
    queue::Token token;
    std::deque<queue::TicketItem> waiting;
    std::int64_t num_running = 0;
    std::vector<queue::ItemResult> finished;
    std::chrono::steady_clock::time_point oldest_finished;
    int parts = 0;         ///< result files so far
    bool refused = false;  ///< items of it were refused
    bool lost = false;     ///< somebody reaped it
};

/// The tickets of one worker, from the claim to the end of the lease.
class Leases {
  public:
    Leases(const WorkerRequest& request, WorkerReport& report);

    /// Claims one ticket with items left. False if there is none for now.
    bool claim();

    /// Whether pending tickets are left that this worker may take.
    bool any_left() { return claimer_.any_left(); }

    bool empty() const { return leases_.empty(); }
    std::int64_t num_waiting() const;

    /// A lease with waiting items, the oldest first, or null.
    Lease* next_waiting(LeaseNumber& number);
    Lease& at(LeaseNumber number) { return leases_.at(number); }

    /// Takes what a run of the oracle came to.
    void take(EndedRun ended);

    /// Shows that this worker is alive. Returns the leases found lost.
    std::vector<LeaseNumber> renew();

    /// Hands in what is finished and not held back: of tickets that are done or lost, and of long
    /// ones once a minute. Ends the leases that are done.
    void settle(const Breaker& breaker);

    /// Hands in all but what is held back, and ends every lease. Nothing may be running.
    void give_back_all(const Breaker& breaker);

    /// The last resort after an error: gives back whatever can be given back.
    void abandon() noexcept;

  private:
    void check_batch(const queue::TicketId& ticket);
    void check_item(const queue::TicketId& ticket, const queue::TicketItem& item);
    void complete(queue::ItemResult& result, const queue::Token& token);
    void hand_in(LeaseNumber number, const Breaker& breaker);
    void end(Lease& lease);

    const WorkerRequest& request_;
    WorkerReport& report_;
    queue::Claimer claimer_;
    std::map<LeaseNumber, Lease> leases_;
    LeaseNumber next_number_ = 1;
    std::set<std::string> checked_batches_;
    std::string job_id_;
};

}  // namespace sluice::oracle
