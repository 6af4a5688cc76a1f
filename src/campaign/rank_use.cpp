#include "campaign/rank_use.hpp"

#include "core/proc_file.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>

namespace sluice::campaign {
namespace {

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

double cpu_seconds_of(int who) {
    rusage use{};
    if (::getrusage(who, &use) != 0) return 0.0;
    return seconds_of(use.ru_utime) + seconds_of(use.ru_stime);
}

// The field `rchar` of proc(5)'s /proc/PROCESS/io.
std::int64_t bytes_read() {
    const std::string text = read_proc_file("/proc/self/io").value_or("");
    const std::size_t field = text.find("rchar: ");
    return field == std::string::npos ? 0 : std::strtoll(text.c_str() + field + 7, nullptr, 10);
}

}  // namespace

RankUse RankUse::since(const RankUse& before) const {
    return {cpu_seconds - before.cpu_seconds, bytes_read - before.bytes_read,
            bytes_received - before.bytes_received};
}

RankUse rank_use(const comm::Communicator& world) {
    return {cpu_seconds_of(RUSAGE_SELF) + cpu_seconds_of(RUSAGE_CHILDREN), bytes_read(),
            world.traffic().bytes_received};
}

void add_use(const std::vector<RankUse>& more, std::vector<RankUse>& use) {
    use.resize(std::max(use.size(), more.size()));
    for (std::size_t rank = 0; rank < more.size(); ++rank) {
        use[rank].cpu_seconds += more[rank].cpu_seconds;
        use[rank].bytes_read += more[rank].bytes_read;
        use[rank].bytes_received += more[rank].bytes_received;
    }
}

}  // namespace sluice::campaign
