#pragma once

#include "kernels/committee_network.hpp"
#include "study/study_rules.hpp"
#include "study/study_scores.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace sluice::study {

/// Chooses batches among rows in memory as `sluice select` does in a pool: scores, shortlist,
/// diversity with the labeled rows as centres; the same picks in the same order.
class BatchChoice {
  public:
    /// Keeps references to all of these. Throws Error(bad_data) under the cosine metric for rows
    /// without a direction.
    BatchChoice(const ChoiceRows& rows, const Strategy& strategy, const StudyRules& rules,
                std::uint64_t seed);

    /// Makes rows (local indices) centres of the diversity.
    void add_centers(std::span<const std::int64_t> labeled);

    /// Makes distances of vectors that a model makes of rows, as the strategy's embedding says,
    /// until the next call. Throws Error(bad_data) under the cosine metric for rows without a
    /// direction.
    void look_through(std::shared_ptr<const select::Embedder> embedder) {
        embedder_ = std::move(embedder);
    }

    /// Gives the next score() what predicts the losses of labels; null: nothing does.
    void hear_losses(std::shared_ptr<const kernels::CommitteeNetwork> losses) {
        losses_ = std::move(losses);
    }

    /// Scores all rows for `round`. Throws Error(bad_data) for a score that is not a number, and
    /// Error(usage) for one below 0 that is to be divided by a cost or has no power.
    void score(const std::shared_ptr<const kernels::CommitteeNetwork>& network,
               std::uint32_t round);

    /// Local indices of the best `count` rows among those where open[i] is not 0, best first; of
    /// items, all open rows of the best, as far as they fit into `count`.
    std::vector<std::int64_t> choose(std::span<const std::uint8_t> open, std::int64_t count) const;

  private:
    void divide_by_cost();
    void add_noise();
    std::vector<Candidate> shortlist(std::span<const std::uint8_t> open, std::int64_t size) const;
    std::vector<Candidate> best_rows(std::span<const std::uint8_t> open, std::int64_t size) const;
    std::vector<Candidate> best_items(std::span<const std::uint8_t> open, std::int64_t size) const;
    void add_noise(RowId row, float& score) const;
    std::vector<std::int64_t> spread(std::vector<Candidate> shortlist, std::int64_t count) const;
    std::vector<float> member_says(std::span<const RowId> locals) const;
    std::vector<float> features_of(std::span<const RowId> locals) const;
    std::vector<float> places_of(std::span<const RowId> locals) const;
    void scale_to_directions(std::vector<float>& places, std::int64_t dim,
                             std::span<const RowId> locals) const;
    std::span<const float> row(std::int64_t local) const {
        return rows_.features.subspan(static_cast<std::size_t>(local * rows_.dim),
                                      static_cast<std::size_t>(rows_.dim));
    }

    ChoiceRows rows_;
    const Strategy& strategy_;
    const StudyRules& rules_;
    std::uint64_t seed_;
    select::ScoreExpression score_;
    std::vector<RowId> labeled_;      // local indices, ascending
    std::vector<float> directions_;   // [n,D] of unit length under the cosine metric, or empty
    std::span<const float> places_;   // [n,D] what distances see
    std::vector<RowId> center_rows_;  // local indices of the centres
    std::vector<float> centers_;      // [centres,D] their places, without an embedder
    std::vector<float> scores_;       // [n]
    std::shared_ptr<const kernels::CommitteeNetwork> network_;  // of the last score()
    std::uint32_t round_ = 0;                                   // likewise
    std::shared_ptr<const kernels::CommitteeNetwork> losses_;
    std::shared_ptr<const select::Embedder> embedder_;  // null: distances see places_
};

}  // namespace sluice::study
