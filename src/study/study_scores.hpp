#pragma once

#include "core/types.hpp"
#include "kernels/committee_network.hpp"
#include "select/score_expression.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace sluice::study {

/// The rows a simulated run can choose from, in memory.
struct ChoiceRows {
    std::span<const RowId> rows;      ///< [n], ascending
    std::span<const float> features;  ///< [n,D]
    std::int64_t dim = 0;
    std::span<const double> cost = {};        ///< [n] > 0, or empty: 1 each
    std::span<const std::int64_t> item = {};  ///< [n] number of the item, or empty: there are none
};

/// What scores depend on beside the rows.
struct ScoringState {
    std::shared_ptr<const kernels::CommitteeNetwork> network;
    std::span<const RowId> labeled;  ///< indices into the rows, ascending
    std::uint64_t seed = 0;
    std::uint32_t round = 1;
    std::shared_ptr<const kernels::CommitteeNetwork> losses = {};  ///< of a loss head; or null
    std::int64_t batch_size = 0;
};

/// Scores of all rows as `sluice select` computes those of a pool with a model; `random` is of the
/// rows' numbers. Throws Error(bad_data) for a row without a score.
void score_rows(const ChoiceRows& rows, const select::ScoreExpression& score,
                const ScoringState& state, std::span<float> scores);

}  // namespace sluice::study
