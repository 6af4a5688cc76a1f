#pragma once

#include "campaign/stop_rules.hpp"
#include "core/types.hpp"
#include "model/model_outputs.hpp"
#include "pool/pool.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// Rows of a pool with their features.
struct RowsWithFeatures {
    std::vector<RowId> rows;      ///< ascending
    std::vector<float> features;  ///< [rows, dim]
    std::int64_t dim = 0;
};

/// `count` distinct rows of [0, num_rows), ascending, all of them if there are not more: a function
/// of the seed alone. \source Floyd's sampling, Bentley, "A Sample of Brilliance", CACM 30 (1987).
std::vector<RowId> draw_rows(std::uint64_t seed, std::int64_t count, RowId num_rows);

/// The stop set: some rows drawn once, whose predictions tell how much models change. Rows with a
/// feature that is not finite are left out. Local.
RowsWithFeatures draw_stop_set(const pool::Pool& pool, std::uint64_t seed, std::int64_t count);

/// What a model says of the stop set, as a file: row [S], mean [S, width], uncertainty [S].
void publish_stop_set(const std::string& path, const std::vector<RowId>& rows,
                      const model::ModelOutputs& outputs);
/// Throws Error(bad_data) if it is not about these rows. Nothing if it is not there.
std::optional<model::ModelOutputs> read_stop_set(const std::string& path,
                                                 const std::vector<RowId>& rows, model::Task task);

/// Puts mean uncertainty and, if there is a model before, agreement into a record.
void describe_stop_set(const model::ModelOutputs& outputs,
                       const std::optional<model::ModelOutputs>& before, RoundRecord& record);

}  // namespace sluice::campaign
