#pragma once

#include "comm/communicator.hpp"

#include <cstdint>
#include <vector>

namespace sluice::campaign {

/// What a rank has used up; or, as a difference, what a step took of it.
struct RankUse {
    double cpu_seconds = 0.0;         ///< its own, and of the oracles and trainers it waited for
    std::int64_t bytes_read = 0;      ///< by read calls, from wherever; 0 where /proc hides it
    std::int64_t bytes_received = 0;  ///< from other ranks

    /// The use since `before`.
    RankUse since(const RankUse& before) const;
};

/// What this rank has used so far. Local.
RankUse rank_use(const comm::Communicator& world);

/// Adds a step's use to that of its earlier runs, rank by rank.
void add_use(const std::vector<RankUse>& more, std::vector<RankUse>& use);

}  // namespace sluice::campaign
