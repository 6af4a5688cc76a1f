#pragma once

#include "core/types.hpp"
#include "kernels/score_rows.hpp"

#include <cstdint>
#include <limits>
#include <vector>

namespace sluice::kernels {

/// Which rows of a block are still of interest to who collects the best ones.
struct RowFilter {
    Candidate threshold;  ///< only rows better than this one
    /// Of more rows than these only the best need be told.
    std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

/// A scorer that computes scores elsewhere and lets only those come back that are of interest.
class FilteringScorer : public Scorer {
  public:
    /// Appends to `passed`, ascending, the rows of the block that pass the filter, and all rows
    /// whose score is NaN.
    virtual void score_passing(const ScoreBlock& block, const RowFilter& filter,
                               std::vector<Candidate>& passed) const = 0;
};

}  // namespace sluice::kernels
