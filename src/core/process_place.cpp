#include "core/process_place.hpp"

#include "core/proc_file.hpp"
#include "core/sha256.hpp"

#include <fmt/format.h>

#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <cerrno>
#include <limits>

namespace sluice {
namespace {

constexpr std::size_t place_digits = 8;

// A place that cannot be told from others is one of its own: its processes then never look gone.
std::string place_of_this_process_alone() {
    std::uint64_t random = 0;
    return ::getrandom(&random, sizeof random, 0) == static_cast<ssize_t>(sizeof random)
               ? fmt::format("{:016x}", random)
               : fmt::format("{}", static_cast<const void*>(&random));
}

std::string describe_place() {
    const auto boot = read_proc_file("/proc/sys/kernel/random/boot_id");
    struct stat space {};
    if (!boot || ::stat("/proc/self/ns/pid", &space) != 0) return place_of_this_process_alone();
    return fmt::format("{} {}", *boot, space.st_ino);
}

}  // namespace

const std::string& process_place() {
    static const std::string place = sha256_hex(describe_place()).substr(0, place_digits);
    return place;
}

bool process_is_gone(const std::string& place, std::int64_t process) {
    if (place != process_place() || process <= 0 || process > std::numeric_limits<pid_t>::max()) {
        return false;
    }
    return ::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH;
}

}  // namespace sluice
