#include "core/process_place.hpp"

#include "core/proc_file.hpp"
#include "core/sha256.hpp"

#include <fmt/format.h>

#include <signal.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <limits>
#include <string_view>

namespace sluice {
namespace {

constexpr std::size_t place_digits = 8;
constexpr std::string_view unknown_birth = "0000";

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

// When a process started, in clock ticks since the boot: 4 hex digits of it; nothing if it cannot
// be told.
std::string birth_of(std::int64_t process) {
    const std::string field = proc_stat_field(process, 22);
    std::uint64_t ticks = 0;
    const auto result = std::from_chars(field.data(), field.data() + field.size(), ticks);
    return result.ec == std::errc() ? fmt::format("{:04x}", ticks & 0xFFFFU) : "";
}

}  // namespace

const std::string& process_place() {
    static const std::string place = sha256_hex(describe_place()).substr(0, place_digits);
    return place;
}

std::string process_mark() {
    thread_local pid_t known = 0;
    thread_local std::string birth;
    if (known != ::getpid()) {  // the first call, or the first after a fork
        birth = proc_is_of_here() ? birth_of(::getpid()) : "";
        known = ::getpid();
    }
    return process_place() + (birth.empty() ? std::string(unknown_birth) : birth);
}

bool process_is_gone(const std::string& mark, std::int64_t process) {
    const bool is_of_here = mark.starts_with(process_place()) && process > 0 &&
                            process <= std::numeric_limits<pid_t>::max();
    if (!is_of_here) return false;
    if (::kill(static_cast<pid_t>(process), 0) != 0 && errno == ESRCH) return true;
    const std::string birth = mark.substr(place_digits);
    const bool is_known =
        !birth.empty() && birth != unknown_birth && !process_mark().ends_with(unknown_birth);
    if (!is_known) return false;
    const std::string other = birth_of(process);
    return !other.empty() && other != birth;
}

}  // namespace sluice
