#pragma once

#include "select/feature_score.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// Rows that stand for the whole pool, where a score would have to compare every row with every
/// other one.
inline constexpr std::int64_t sample_rows = 4096;

/// Their features, ascending by row, on every rank.
struct PoolSample {
    std::vector<RowId> rows;
    std::vector<float> features;  ///< [rows, dim]
};

/// All rows of a pool of up to `sample_rows`, else one by chance in each of as many equal parts, a
/// function of the plan's seed. Rows whose features are not usable are left out; they are refused
/// or skipped when scored. \collective
PoolSample read_pool_sample(const ScorePreparation& from);

}  // namespace sluice::select
