#pragma once

#include "comm/communicator.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"
#include "select/two_stage.hpp"

#include <cstddef>
#include <vector>

namespace sluice::select {

/// How many of the first `picks` (in selection order, the same on all ranks) cost at most
/// `plan.batch_cost` together, by the pool's `cost` [N]: their sums, added up in float64 in that
/// order, never exceed it. All of them without a budget. Both stages pick one row after the other,
/// so the first n picks are what a batch of n would be.
/// Where rows are instances of items, an item costs what its rows cost, and the items' rows are at
/// most `plan.batch_instances` (0 = no limit).
/// Throws AgreedError: bad_data for a cost that is negative or not finite, usage if a budget is
/// less than the first pick takes. \collective
std::size_t affordable_picks(const pool::Pool& pool, const Plan& plan,
                             const std::vector<Selected>& picks, comm::Communicator& world);

}  // namespace sluice::select
