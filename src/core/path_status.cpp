#include "core/path_status.hpp"

#include "core/error.hpp"

#include <fcntl.h>

#include <cerrno>

namespace sluice {

std::optional<struct stat> path_status(const std::string& path, Links links) {
    struct stat status {};
    const int flags = links == Links::keep ? AT_SYMLINK_NOFOLLOW : 0;
    if (::fstatat(AT_FDCWD, path.c_str(), &status, flags) == 0) return status;
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw system_error(path, "cannot examine", errno);
}

bool is_directory(const std::string& path) {
    const auto status = path_status(path, Links::follow);
    return status && S_ISDIR(status->st_mode);
}

}  // namespace sluice
