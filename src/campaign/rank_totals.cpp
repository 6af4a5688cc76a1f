#include "campaign/rank_totals.hpp"

#include <sys/resource.h>

#include <span>

namespace sluice::campaign {
namespace {

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

RankTotals own_totals(const comm::Traffic& traffic) {
    RankTotals use;
    use.collectives = traffic.collectives;
    use.bytes_sent = traffic.bytes_sent;
    use.bytes_received = traffic.bytes_received;
    use.collective_cpu_seconds = traffic.cpu_seconds;
    rusage usage = {};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return use;  // only told of, so 0 for unknown
    use.peak_memory_bytes = std::int64_t{usage.ru_maxrss} * 1024;
    use.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    return use;
}

}  // namespace

std::vector<RankTotals> gather_totals(comm::Communicator& world) {
    const RankTotals mine = own_totals(world.traffic());
    return world.gather(std::span<const RankTotals>(&mine, 1));
}

}  // namespace sluice::campaign
