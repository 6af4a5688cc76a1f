#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// How many candidates of all ranks are better than each of `mine`, which is best first. The lists
/// go round in pieces: memory does not grow with the number of ranks. \collective
std::vector<std::int64_t> num_better(const std::vector<Candidate>& mine, comm::Communicator& world);

/// Replaces the scores of all ranks' candidates by the keys of `softrank`: of their rank among all
/// of them. \collective
std::vector<Candidate> perturb_ranks(std::vector<Candidate> mine, const Plan& plan,
                                     comm::Communicator& world);

}  // namespace sluice::select
