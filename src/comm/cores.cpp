#include "comm/cores.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>

namespace sluice::comm {

int cores_of_this_rank(const Communicator& world) {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    const int allowed = ::sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
    const bool is_bound = allowed < ::sysconf(_SC_NPROCESSORS_ONLN);
    return std::max(1, is_bound ? allowed : allowed / world.local_size());
}

}  // namespace sluice::comm
