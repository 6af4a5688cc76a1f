#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"
#include "select/two_stage.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// Stage 2 with `k_center`: reads the features of this rank's share of the shortlist (`mine`,
/// ascending by row, see balance_by_row), makes the `centers` rows (labeled or issued) centres, and
/// runs the exact greedy. Fills the selection's rows (distances in the plan's metric), radius,
/// redundancy, rounds. Rows whose features are not finite or overflow a squared distance are
/// refused or, under BadRows::skip, dropped and counted. \collective
void diversify(const pool::Pool& pool, const Plan& plan, std::vector<Candidate> mine,
               const std::vector<RowId>& centers, Selection& selection, comm::Communicator& world);

/// Memory that diversify needs on one rank beyond the process's base.
std::int64_t diversify_memory(const pool::Pool& pool, const Plan& plan, std::int64_t num_centers,
                              int num_ranks);

}  // namespace sluice::select
