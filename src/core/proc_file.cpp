#include "core/proc_file.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

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

}  // namespace sluice
