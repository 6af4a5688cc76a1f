#pragma once

#include "comm/communicator.hpp"

namespace sluice::comm {

/// Cores this rank may use, at least 1: those it is bound to, or, unbound, its share of the node's.
/// \source sched_setaffinity(2).
int cores_of_this_rank(const Communicator& world);

}  // namespace sluice::comm
