#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"
#include "select/two_stage.hpp"

#include <vector>

namespace sluice::select {

/// Says of each chosen row why it is there: the reason, where no part of the batch has given one
/// (`score`, `start` or the diversity rule), and which row was nearest to it when it was chosen:
/// labeled or issued (ties to the lower row), or else chosen before (ties to the earlier). Rows are
/// compared as stage 2 compares them; not without a diversity stage, nor in batches of more than
/// 20,000 rows. With Plan::min_distance the batch ends before the first row that is nearer to
/// another. \collective
void explain(const pool::Pool& pool, const Plan& plan, const std::vector<RowId>& centers,
             Selection& selection, comm::Communicator& world);

/// A row of the shortlist and the chosen row that stands for it.
struct MapLine {
    RowId row = 0;
    float score = 0.0F;
    RowId chosen = 0;  ///< the nearest, ties to the lower row
    float distance = 0.0F;
};

/// Every row of the shortlist, ascending, on rank 0 (the other ranks get none). Throws
/// Error(bad_data) if the pool has no features. \collective
std::vector<MapLine> map_shortlist(const pool::Pool& pool, const Plan& plan,
                                   const Selection& selection, comm::Communicator& world);

}  // namespace sluice::select
