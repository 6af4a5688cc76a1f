#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "model/committee.hpp"
#include "model/model_outputs.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace sluice::campaign {

/// Opens a file that tells what a model says of every row of a pool of `num_rows`: a pool of the
/// datasets probabilities, committee and predictions that it has. Throws AgreedError: as
/// pool::open_pool, bad_data if it has none of them or another number of rows. \collective
pool::Pool open_predictions(const std::string& path, RowId num_rows, comm::Communicator& world);

/// Puts what the predictions tell in the place of what the pool says itself.
void replace_predictions(pool::Pool& pool, const pool::Pool& predictions);

/// The labels that a model was trained on, as far as what it says must fit them.
struct LabelShape {
    model::Task task = model::Task::classification;
    std::int64_t outputs = 0;  ///< C or T
    bool is_least = false;     ///< more classes than those seen are possible
};

/// Throws Error(bad_data) for predictions of another task or of another number of classes or
/// targets.
void require_fit(const pool::Pool& predictions, const LabelShape& labels);

/// Reads every value. Throws AgreedError(bad_data), naming the lowest row and the number of rows,
/// for values that are not finite and probabilities that are none; with BadRows::skip only for
/// chunks that cannot be read. \collective
void require_good_values(const pool::Pool& predictions, select::BadRows bad_rows,
                         comm::Communicator& world);

/// What the predictions tell of these rows (ascending): of the dataset probabilities where it is
/// there, or else of committee or predictions. Throws Error(bad_data), naming the row, for values
/// that mean nothing. Local.
model::ModelOutputs predicted_outputs(const pool::Pool& predictions, std::span<const RowId> rows);

}  // namespace sluice::campaign
