#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/nearest_center.hpp"
#include "pool/dataset.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// What to search for, and how. The views must outlive the search.
struct NearestSearch {
    const pool::Dataset* features = nullptr;  ///< [N,D] of the pool
    kernels::MatrixView queries;              ///< [Q,D]; of unit length under the cosine metric
    std::span<const RowId> own_rows;  ///< [Q] the row that a query is, not its own neighbour (-1:
                                      ///< none); empty: no query is a row
    std::span<const RowId> excluded;  ///< never found; ascending, without repeats
    std::int64_t num_neighbors = 1;   ///< k >= 1
    Metric metric = Metric::euclidean;
    BadRows bad_rows = BadRows::refuse;
    int num_threads = 1;
    std::int64_t block_rows = 1;  ///< rows read at once
};

/// A row near a query.
struct Neighbor {
    RowId row = 0;
    float distance = 0.0F;  ///< euclidean, or 1 - cosine
};

/// What a search found; the same on all ranks.
struct NearestRows {
    /// [Q] each query's k nearest rows, nearest first, ties to the lower row; fewer where the pool
    /// has fewer candidates.
    std::vector<std::vector<Neighbor>> neighbors;
    std::int64_t num_candidates = 0;  ///< rows neither excluded nor bad
    std::int64_t num_skipped = 0;     ///< bad rows, under BadRows::skip
    std::int64_t bytes_read = 0;      ///< stored bytes, sum over ranks
};

/// The k nearest rows of each query: exact, by canonical float32 distances. Each rank streams its
/// rows once, on the CPU; the same numbers for any number of ranks, threads, blocks, chunks and
/// instruction sets. Memory does not grow with the pool. Throws AgreedError on all ranks; rows bad
/// as read_features says are refused or skipped; try_again on a stop signal. \collective
NearestRows find_nearest_rows(const NearestSearch& search, comm::Communicator& world);

/// Bytes that find_nearest_rows needs on a rank beyond the queries, for the memory plan.
std::int64_t nearest_memory(const NearestSearch& search);

}  // namespace sluice::select
