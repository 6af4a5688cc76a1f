#pragma once

#include "core/types.hpp"
#include "kernels/nearest_center.hpp"
#include "pool/pool.hpp"
#include "pool/row_reader.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::select {

/// Some rows' features in memory.
struct FeatureRows {
    std::vector<RowId> rows;    ///< ascending
    std::vector<float> values;  ///< [rows, dim]; of unit length under the cosine metric
    std::int64_t dim = 0;
    std::int64_t num_dropped = 0;  ///< bad rows left out (BadRows::skip)

    kernels::MatrixView view() const {
        return {values.data(), static_cast<std::int64_t>(rows.size()), dim};
    }
};

/// Why a row cannot take part in distances, as read_features judges; empty if it can.
std::string why_no_distances(const float* row, std::int64_t dim, Metric metric);

/// Reads features for distances in the plan's metric, with `plan.num_threads` threads. A row is bad
/// if a value is not finite, if its squared norm exceeds an eighth of float32's range (squared
/// distances might overflow), or, for the cosine, if it is zero: refused with Error(bad_data)
/// naming the first, or dropped under BadRows::skip. Local.
FeatureRows read_features(const pool::Dataset& features, const pool::RowReader& reader,
                          const Plan& plan, std::vector<RowId> rows);

/// What read_features does once the values are read: refuses or drops bad rows (`what` begins the
/// reason) and scales for the cosine.
void settle_features(const pool::Dataset& features, const Plan& plan, const std::string& what,
                     FeatureRows& rows);

}  // namespace sluice::select
