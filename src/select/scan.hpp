#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/score_rows.hpp"
#include "pool/pool.hpp"
#include "select/distinct.hpp"
#include "select/plan.hpp"
#include "select/row_scorer.hpp"
#include "select/scan_lists.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::select {

/// What stage 1 left on this rank.
struct ScanResult {
    std::vector<Candidate> best;  ///< the plan's scan_size best of this rank's rows, best first
    std::vector<DigestedCandidate> distinct;  ///< in their place under Copies::drop
    std::int64_t num_candidates = 0;          ///< this rank's rows (or items) that could be chosen
    std::int64_t num_beyond_trust = 0;  ///< rows that could be chosen but for a score above it
    std::int64_t num_unwanted = 0;      ///< rows that could be chosen but for the plan's conditions
    std::int64_t num_bad = 0;           ///< this rank's rows that break the score's contract
    RowId first_bad = -1;               ///< lowest of them, -1 = none
    std::string first_bad_reason;       ///< location and reason of `first_bad`
    std::int64_t bytes_read = 0;        ///< stored bytes
};

/// Streams this rank's rows once, scores them and keeps the best `plan.scan_size` that are not
/// taken; where rows are instances of items, the best items, each as its best row (`rows` then
/// holds whole items); under Copies::drop the best of different features, other than those of the
/// centres. One thread more than computes reads ahead; memory does not grow with the pool. Local:
/// no communication, may fail on one rank (read errors). Stops early with Error(try_again) when a
/// stop signal has come.
/// With `lists` they are filled in place of `best`.
ScanResult scan_rows(const pool::Pool& pool, const Plan& plan, const RowScorer& scorer,
                     RowRange rows, const TakenRows& taken, ScanLists* lists = nullptr);

/// Memory that scan_rows needs beyond the process's base, for the plan.
std::int64_t scan_memory(const pool::Pool& pool, const Plan& plan, int num_ranks);

}  // namespace sluice::select
