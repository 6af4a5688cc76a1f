#pragma once

#include "campaign/prediction_file.hpp"
#include "core/types.hpp"
#include "kernels/committee_network.hpp"
#include "pool/dataset.hpp"

#include <cstdint>
#include <string>

namespace sluice::campaign {

/// How a committee speaks of rows of features.
struct PredictionPlan {
    const pool::Dataset* features = nullptr;
    const kernels::CommitteeNetwork* network = nullptr;
    int num_threads = 1;
    std::int64_t block_rows = 1;
};

/// Rows of which it said nothing finite.
struct UnpredictedRows {
    std::int64_t count = 0;
    RowId first = -1;    ///< lowest of them, -1 = none
    std::string reason;  ///< location and reason of `first`
};

/// Streams `rows` once and writes what the network says of them; rows with a feature or output that
/// is not finite get NaN. The bytes do not depend on threads or blocks. Local, may fail on one
/// rank. Stops early with Error(try_again) when a stop signal has come.
UnpredictedRows predict_rows(const PredictionPlan& plan, RowRange rows,
                             const PredictionWriter& writer);

/// Memory that predict_rows needs beyond the network's.
std::int64_t prediction_memory(const PredictionPlan& plan);

}  // namespace sluice::campaign
