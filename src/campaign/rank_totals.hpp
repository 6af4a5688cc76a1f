#pragma once

#include "comm/communicator.hpp"

#include <cstdint>
#include <vector>

namespace sluice::campaign {

/// What one rank has taken of the machine since it started.
struct RankTotals {
    std::int64_t collectives = 0;
    std::int64_t bytes_sent = 0;  ///< in collectives
    std::int64_t bytes_received = 0;
    std::int64_t peak_memory_bytes = 0;  ///< resident
    double cpu_seconds = 0.0;            ///< of all threads, those in collectives included
    double collective_cpu_seconds = 0.0;
};

/// Every rank's, in rank order, on rank 0; the others get nothing. \collective
std::vector<RankTotals> gather_totals(comm::Communicator& world);

}  // namespace sluice::campaign
