#pragma once

#include "core/types.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace sluice {

/// Whether any score is at least `threshold` or NaN: one vector compare for most of a pool, so
/// that collecting costs little more than reading the scores.
bool any_may_enter(std::span<const float> scores, float threshold);

/// Keeps the `capacity` best candidates offered, in O(1) amortised a candidate and at most
/// 2 * capacity + 1024 candidates of memory. The result does not depend on the order of offers.
/// Not thread-safe.
class TopK {
  public:
    explicit TopK(std::size_t capacity);

    /// Offers rows first_row, first_row + 1, ... with these scores. Scores that are NaN are
    /// passed over (callers have refused or counted them).
    void offer(std::span<const float> scores, RowId first_row);

    /// Offers one candidate.
    void offer(const Candidate& candidate);

    /// Takes in everything another collector kept.
    void merge(const TopK& other);

    /// The kept candidates, best first. Leaves the collector empty.
    std::vector<Candidate> take_sorted();

    /// A candidate that is not better than this one can no longer enter; the worst possible
    /// candidate while fewer than `capacity` have been offered.
    const Candidate& threshold() const { return threshold_; }

    std::size_t capacity() const { return capacity_; }

  private:
    void shrink();

    std::size_t capacity_;
    std::size_t limit_;
    Candidate threshold_;
    std::vector<Candidate> kept_;
};

}  // namespace sluice
