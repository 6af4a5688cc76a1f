#pragma once

#include "comm/communicator.hpp"
#include "kernels/nearest_center.hpp"
#include "pool/pool.hpp"
#include "select/two_stage.hpp"

namespace sluice::campaign {

/// Replaces each proposal by the pool row nearest to it that can be chosen: one after the other, a
/// row that an earlier one has taken going to no later one. Exact, by canonical distances in the
/// plan's metric; fewer rows than proposals only when the pool has no more. Scores are what the
/// plan's committee says of the rows, distances those from the proposals. `proposals` [B,D] are of
/// unit length under the cosine metric. Throws AgreedError; `try_again` when stopped. \collective
select::Selection snap_to_rows(kernels::MatrixView proposals, const pool::Pool& pool,
                               const select::Plan& plan, const select::TakenRows& taken,
                               comm::Communicator& world);

}  // namespace sluice::campaign
