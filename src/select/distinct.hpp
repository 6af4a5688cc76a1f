#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// 128 bits of a hash that stand for a row's features: the same for rows that are equal number for
/// number, and in practice for no others.
struct RowDigest {
    std::uint64_t word[2] = {0, 0};

    friend constexpr auto operator<=>(const RowDigest&, const RowDigest&) = default;
};

/// The digest of finite features [D]; -0 counts as 0.
RowDigest row_digest(std::span<const float> features);

/// A candidate and the digest of its features.
struct DigestedCandidate {
    Candidate candidate;
    RowDigest digest;
};

/// Keeps the `capacity` best candidates of different digests: what a shortlist counted in distinct
/// rows is made of. Of rows with one digest the best stays, which is the lowest row when equal
/// features have equal scores. At most 2 * capacity + 1024 candidates of memory; the result does
/// not depend on the order of offers.
class DistinctTopK {
  public:
    explicit DistinctTopK(std::size_t capacity);

    /// Whether a candidate could still be kept; spares the digests of all others.
    bool may_enter(const Candidate& candidate) const {
        return capacity_ > 0 && better(candidate, threshold_);
    }

    void offer(const DigestedCandidate& offered);

    /// A candidate that is not better than this one can no longer enter.
    const Candidate& threshold() const { return threshold_; }

    /// Memory at most, in bytes.
    static std::int64_t memory(std::int64_t capacity);

    /// The kept candidates, best first. Leaves the collector empty.
    std::vector<DigestedCandidate> take_sorted();

  private:
    void shrink();

    std::size_t capacity_;
    std::size_t limit_;
    Candidate threshold_;
    std::vector<DigestedCandidate> kept_;
};

/// Of all ranks' candidates with one digest only the best remains, on the rank and in the order
/// that it was in. Followed by keep_global_best, the K best distinct rows of the job if each rank
/// gives its K best. \collective
std::vector<Candidate> keep_distinct(std::span<const DigestedCandidate> mine,
                                     comm::Communicator& world);

}  // namespace sluice::select
