#pragma once

#include "oracle/worker_slots.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sluice::oracle {

/// Watches for failures that are all alike: then the oracle is to blame, not the items.
///
/// A streak is a row of results, in the order they come, that failed with the same status and
/// reason; a refusal neither adds to it nor ends it. As long as a streak lasts, its results are
/// held back, so that nothing of it has been reported when it gets long enough to open the breaker.
/// They are handed in once a different outcome comes, or the worker has nothing else to do.
class Breaker {
  public:
    /// Opens after `limit` failures in a row; never if it is 0.
    explicit Breaker(int limit) : limit_(limit) {}

    void note(LeaseNumber lease, const queue::ItemResult& result);

    bool is_open() const { return limit_ > 0 && std::ssize(streak_) >= limit_; }

    /// Whether the item's result is part of the streak.
    bool holds(LeaseNumber lease, std::int64_t item) const;

    /// Ends the streak: nothing is held back any more.
    void reset() { streak_.clear(); }

    /// What the failures had in common, for people.
    std::string description() const;

  private:
    int limit_;
    std::vector<std::pair<LeaseNumber, std::int64_t>> streak_;
    queue::ItemResult last_;
};

/// The last line of a log that is not blank, cut to a length for messages; or "none".
std::string last_line(const std::string& log);

}  // namespace sluice::oracle
