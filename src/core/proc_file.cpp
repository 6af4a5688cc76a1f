#include "core/proc_file.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <string_view>

namespace sluice {
namespace {

constexpr std::size_t max_bytes = 4096;

// ESRCH: the process that it is about has ended meanwhile.
bool is_untold(int error_number) {
    return error_number == ENOENT || error_number == ESRCH || error_number == EACCES;
}

}  // namespace

std::optional<std::string> read_proc_file(const std::string& path) {
    const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path);
    std::array<char, max_bytes> text{};
    const ssize_t count = file.valid() ? ::read(file.get(), text.data(), text.size()) : -1;
    if (count >= 0) return std::string(text.data(), static_cast<std::size_t>(count));
    if (is_untold(errno)) return std::nullopt;
    throw system_error(path, "cannot read", errno);
}

bool proc_is_of_here() {
    std::array<char, 32> name{};
    const ssize_t length = ::readlink("/proc/self", name.data(), name.size());
    return length > 0 && std::to_string(::getpid()) ==
                             std::string_view(name.data(), static_cast<std::size_t>(length));
}

std::string proc_stat_field(std::int64_t process, int number) {
    const std::string stat = read_proc_file(fmt::format("/proc/{}/stat", process)).value_or("");
    // The second field is a name in parentheses, which may hold any others.
    std::istringstream fields(stat.substr(std::min(stat.rfind(')') + 1, stat.size())));
    std::string field;
    for (int passed = 2; passed < number; ++passed)
        fields >> field;
    return fields ? field : "";
}

}  // namespace sluice
