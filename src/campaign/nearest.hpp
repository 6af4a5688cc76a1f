#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "labels/label_source.hpp"
#include "pool/pool.hpp"
#include "select/nearest_rows.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What `sluice nearest` was asked for.
struct NearestRequest {
    pool::PoolSource pool;
    pool::PoolSource queries;                 ///< files whose features are the queries; or none,
    std::vector<RowId> query_rows;            ///< and then these rows of the pool are
    std::vector<labels::LabelSource> labels;  ///< rows that are never found
    std::string queue_directory;              ///< likewise the rows it has issued; may be empty
    std::int64_t num_neighbors = 1;           ///< k of each query
    select::Metric metric = select::Metric::euclidean;
    select::BadRows bad_rows = select::BadRows::refuse;
    int num_threads = 0;          ///< 0 = this rank's share of the node's cores
    std::int64_t block_rows = 0;  ///< rows read at once; 0 = chosen by the reader
    double memory_gib = 1.0;      ///< budget of one rank for buffers and what is kept
    std::string csv_path;         ///< may be empty
    std::string json_path;        ///< may be empty
};

/// What came of it; the same on all ranks, but the texts, which are rank 0's alone.
struct NearestResult {
    select::NearestRows found;
    std::int64_t num_queries = 0;
    std::string csv;  ///< `query,rank,row,id,distance`: a query's number in its files or its row in
                      ///< the pool; numbers read back to the same bits
};

/// Finds the k nearest pool rows of each query and writes the files asked for. A query that is a
/// row of the pool is not its own neighbour. Throws Error with the exit codes of the README;
/// `try_again` when stopped by a signal. \collective
NearestResult find_nearest(const NearestRequest& request, comm::Communicator& world);

/// The rows that the queue in `directory` has issued, ascending, on all ranks; none if there is no
/// such queue yet. \collective
std::vector<RowId> issued_rows(const std::string& directory, comm::Communicator& world);

}  // namespace sluice::campaign
