#pragma once

#include "core/types.hpp"
#include "select/plan.hpp"
#include "select/row_classes.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// An item whose rows have ended.
struct EndedItem {
    Candidate candidate;           ///< its score and its best row
    RowRange rows;                 ///< of the pool, those left out among them
    std::int64_t code = no_class;  ///< its class, that of its best row
    bool is_taken = false;         ///< one of its rows is; the score is then not looked at
};

/// Makes items' scores of their rows': rows come in their order, an item may go on from one block
/// to the next. Sums run in row order in float64, so an item's score does not depend on blocks.
/// A candidate's row is the best instance of its item (ties: the lower row). By chance alone (score
/// `random`) all items have the same chances, however many rows they have: the draw of the first
/// counts. Not thread-safe.
class ItemScores {
  public:
    /// Keeps references. `taken` (ascending): an item with one of these rows is no candidate.
    ItemScores(const Plan& plan, const std::vector<RowId>& taken) : plan_(plan), taken_(taken) {}

    /// Takes the next rows with their scores (NaN: the row is left out), group numbers and classes
    /// (empty: nobody asks), and appends the items that have ended and hold a row that is not left
    /// out: those that are taken, and those whose scores the trust levels allow. Throws
    /// Error(bad_data) for an item whose score does not fit float32 or has no logarithm that
    /// `power` needs.
    void add(RowRange rows, std::span<const float> scores, std::span<const std::int64_t> numbers,
             std::span<const std::int64_t> codes, std::vector<EndedItem>& ended);

    /// The rows have ended.
    void finish(std::vector<EndedItem>& ended);

    /// Items that ended, hold a row that is not left out, and are not taken.
    std::int64_t num_candidates() const { return num_candidates_; }
    /// Those of them whose score is above the trust levels.
    std::int64_t num_beyond_trust() const { return num_beyond_trust_; }

  private:
    struct Item {
        std::int64_t number = 0;
        RowRange rows;
        std::int64_t num_scored = 0;
        Candidate best;
        std::int64_t code = no_class;  // of the best
        float first = 0.0F;
        double sum = 0.0;
        std::vector<float> top;  // a heap, its least first
    };

    void add_score(Candidate scored, std::int64_t code);
    double reduced() const;
    bool is_taken() const;
    Candidate ranked(float score) const;
    void end_item(std::vector<EndedItem>& ended);

    const Plan& plan_;
    const std::vector<RowId>& taken_;
    Item item_;
    std::int64_t num_candidates_ = 0;
    std::int64_t num_beyond_trust_ = 0;
};

}  // namespace sluice::select
