#pragma once

#include "core/types.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

/// Whether any score is at least `threshold` or NaN.
bool any_may_enter(std::span<const float> scores, float threshold);

/// Which of 32 scores at most are: bit i for scores[i].
std::uint32_t entrants(std::span<const float> scores, float threshold);

/// Calls visit(place) for every score that is at least threshold() or NaN, in order; threshold() is
/// asked again now and then and may only rise. One vector compare for most of a pool, so that
/// collecting costs little more than reading the scores.
template <typename Threshold, typename Visit>
void visit_entrants(std::span<const float> scores, const Threshold& threshold, const Visit& visit) {
    constexpr std::size_t run_length = 128;
    constexpr std::size_t part_length = 32;
    for (std::size_t begin = 0; begin < scores.size(); begin += run_length) {
        const auto run = scores.subspan(begin, std::min(run_length, scores.size() - begin));
        const float least = threshold();
        if (!any_may_enter(run, least)) continue;
        for (std::size_t part = 0; part < run.size(); part += part_length) {
            const auto scores_of_part = run.subspan(part, std::min(part_length, run.size() - part));
            std::uint32_t bits = entrants(scores_of_part, least);
            for (; bits != 0; bits &= bits - 1)
                visit(begin + part + static_cast<std::size_t>(std::countr_zero(bits)));
        }
    }
}

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
