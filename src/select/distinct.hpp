#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace sluice::select {

/// What a row holds, in 128 bits: equal for rows of equal features, and for no others that anybody
/// will ever find (the first half of a SHA-256).
struct Content {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    friend auto operator<=>(const Content&, const Content&) = default;
};

/// Of a row of features; -0 counts as 0.
Content content_of(std::span<const float> features);

/// A candidate and what its row holds.
struct DistinctCandidate {
    Candidate candidate;
    Content content;
};

/// Keeps the `capacity` best candidates of different content; of equal ones the best. The result
/// does not depend on the order of offers. Holds at most 2 * capacity + 1024 candidates. Not
/// thread-safe.
class DistinctTopK {
  public:
    explicit DistinctTopK(std::size_t capacity);

    void offer(const DistinctCandidate& offered);

    /// A candidate that is not better than this one can no longer enter.
    const Candidate& threshold() const { return threshold_; }

    /// The kept candidates, best first. Leaves the collector empty.
    std::vector<DistinctCandidate> take_sorted();

    /// Memory at most, in bytes.
    static std::int64_t memory(std::int64_t capacity);

  private:
    struct Hash {
        std::size_t operator()(const Content& content) const {
            return static_cast<std::size_t>(content.low);
        }
    };

    void shrink();

    std::size_t capacity_;
    Candidate threshold_;
    std::unordered_map<Content, Candidate, Hash> kept_;
};

/// Of candidates with equal content on several ranks only the best remains, where it was; the order
/// is kept. On each rank all contents are different. \collective
std::vector<Candidate> drop_copies(std::span<const DistinctCandidate> mine,
                                   comm::Communicator& world);

}  // namespace sluice::select
