#pragma once

#include "select/diversity/candidate_gains.hpp"
#include "select/diversity/row_greedy.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// Candidates of all ranks with what they still give to: the lazy greedy among them, the same on
/// every rank.
class CoveragePanel {
  public:
    struct Told {
        Gain gain;
        std::int64_t size = 0;  ///< entries of its list
    };
    struct Row {
        Gain gain;
        std::int64_t place = 0;
        std::int64_t seen = 0;  ///< picks that the gain accounts for
    };

    /// Lists one after the other; all gains account for `num_picked` picks.
    CoveragePanel(const std::vector<Told>& told, UncoveredRows lists, std::int64_t num_picked);

    /// The best row, up to date if it is not below the floor; row -1 if there is none.
    Gain best(const Gain& floor, const Cover& cover);

    /// Picks the row that best() gave: `cover` grows by it.
    void take_best(Cover& cover);

    /// Those that are not picked.
    std::span<const Row> rows() const { return rows_; }

  private:
    std::span<const SimilarRow> list(const Row& row) const;

    UncoveredRows lists_;
    std::vector<std::int64_t> begins_;  // [rows told + 1] of the lists
    std::vector<Row> rows_;             // a heap
    std::int64_t num_picked_;
};

}  // namespace sluice::select
