#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/backend.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What `sluice predict` was asked for.
struct PredictRequest {
    pool::PoolSource pool;
    std::string model_path;
    std::string output_path;                             ///< a new pool file
    select::BadRows bad_rows = select::BadRows::refuse;  ///< skip: their outputs are NaN
    kernels::DeviceChoice device = kernels::DeviceChoice::automatic;
    int num_threads = 0;          ///< 0 = this rank's share of the node's cores
    std::int64_t block_rows = 0;  ///< rows read at once; 0 = chosen by the reader
    double memory_gib = 1.0;      ///< budget of one rank for buffers
};

/// What was written; the same on all ranks.
struct PredictResult {
    RowId num_rows = 0;
    std::int64_t num_skipped = 0;       ///< rows whose outputs are NaN
    std::vector<std::string> datasets;  ///< as in `committee [5,20] of logits`
    std::string model_hash;
};

/// Writes what a model's members say of a pool's features into a new pool file, row for row, which
/// appears under its name when it is complete. The same bytes for any number of ranks, threads and
/// blocks, CPU or GPU; the scores of `select` computed from that file are those that `select` with
/// the model computes. Throws Error with the exit codes of the README; `try_again` when stopped by
/// a signal. \collective
PredictResult predict_pool(const PredictRequest& request, comm::Communicator& world);

}  // namespace sluice::campaign
