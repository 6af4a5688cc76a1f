#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"
#include "select/two_stage.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// Stage 2: reads the features of this rank's share of the shortlist (`mine`, ascending by row, see
/// balance_by_row) and what else the plan's rule looks at, with the `centers` rows (labeled or
/// issued) as centres, and lets the rule pick. Fills the selection's rows (the rule's values as
/// distances), radius, redundancy, rounds. Rows whose features are not finite or overflow a squared
/// distance are refused or, under BadRows::skip, dropped and counted. \collective
void diversify(const pool::Pool& pool, const Plan& plan, std::vector<Candidate> mine,
               const std::vector<RowId>& centers, Selection& selection, comm::Communicator& world);

/// Radius and redundancy of a batch that did not come from one call of diversify: of the
/// selection's rows, `centers` and this rank's share of the shortlist. \collective
void measure(const pool::Pool& pool, const Plan& plan, const std::vector<RowId>& centers,
             Selection& selection, comm::Communicator& world);

/// What diversify needs on one rank: memory beyond the process's base, rounds, bytes received.
/// Throws Error(bad_data) if the pool lacks what the rule looks at.
DiversityForecast forecast_diversify(const pool::Pool& pool, const Plan& plan,
                                     std::int64_t num_centers, int num_ranks);

}  // namespace sluice::select
