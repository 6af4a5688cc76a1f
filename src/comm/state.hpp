#pragma once

#include "comm/communicator.hpp"

#include <mpi.h>

#include <cstddef>

namespace sluice::comm {

/// What a Communicator owns; shared by its implementation and the session's.
struct Communicator::State {
    MPI_Comm handle = MPI_COMM_NULL;
    int rank = 0;
    int size = 1;
    int local_rank = 0;
    int local_size = 1;
    /// Elements that one MPI call may carry; tests lower it (SLUICE_MPI_MAX_COUNT) to walk the
    /// paths that otherwise need more than 2 GiB.
    std::size_t max_count = std::size_t{1} << 30;
    Traffic traffic;

    void count(std::size_t sent, std::size_t received) {
        ++traffic.collectives;
        traffic.bytes_sent += static_cast<std::int64_t>(sent);
        traffic.bytes_received += static_cast<std::int64_t>(received);
    }
};

}  // namespace sluice::comm
