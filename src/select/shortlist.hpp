#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// Keeps of this rank's candidates those that are among the `size` best of the whole job, in the
/// order given. Over all ranks exactly min(size, all candidates) remain. No candidate travels: the
/// ranks add up histograms of the key (score descending, then row ascending), 16 KiB a pass, 3
/// passes for the score and, only if ties are cut, 6 for the row. \collective
/// \source radix selection over a distributed multiset; the idea of selecting with sublinear
///         communication is in Huebschle-Schneider and Sanders, arXiv 1502.03942.
std::vector<Candidate> keep_global_best(std::vector<Candidate> mine, std::int64_t size,
                                        comm::Communicator& world);

/// Deals candidates out evenly: every rank gets a contiguous share, by row, of all ranks'
/// candidates, ascending, sizes differing by at most one. The ranks' inputs must be ascending in
/// rank order (rank r's rows below rank r+1's). \collective
std::vector<Candidate> balance_by_row(std::vector<Candidate> mine, comm::Communicator& world);

}  // namespace sluice::select
