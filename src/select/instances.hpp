#pragma once

#include "comm/communicator.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"
#include "select/row_scorer.hpp"
#include "select/two_stage.hpp"

#include <vector>

namespace sluice::select {

/// All rows of the items whose best rows are `picks` (the same on all ranks), with their own
/// scores: item by item in the order of the picks, ascending; without rows that were left out of
/// their item's score. \collective (rank 0 reads, all get them)
std::vector<Instance> instances_of(const pool::Pool& pool, const Plan& plan,
                                   const RowScorer& scorer, const std::vector<Selected>& picks,
                                   comm::Communicator& world);

}  // namespace sluice::select
