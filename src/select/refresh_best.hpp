#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "select/stale_rows.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// The best `count` rows of all ranks that are better than `floor`, brought up to date; returns
/// this rank's (local indices, ascending). Rows are refreshed in falling order of their stale
/// distances, until none that is left can be among the best. `floor` is the same on all ranks.
/// \collective
std::vector<std::int64_t> refresh_best(StaleRows& rows, std::int64_t count, const Candidate& floor,
                                       comm::Communicator& world);

}  // namespace sluice::select
