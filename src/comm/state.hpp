#pragma once

#include "comm/communicator.hpp"

#include <mpi.h>

#include <cstddef>
#include <ctime>

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

/// Adds the CPU time of this thread from here to the end of the scope to the traffic's.
class Communicator::InCall {
  public:
    explicit InCall(State& state) : traffic_(state.traffic), started_(thread_seconds()) {}
    ~InCall() { traffic_.cpu_seconds += thread_seconds() - started_; }
    InCall(const InCall&) = delete;
    InCall& operator=(const InCall&) = delete;

  private:
    static double thread_seconds() {
        std::timespec time = {};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
    }

    Traffic& traffic_;
    double started_;
};

}  // namespace sluice::comm
