#include "campaign/output_paths.hpp"

#include "core/error.hpp"

#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace sluice::campaign {

void require_writable(const std::string& path) {
    if (path.empty()) return;
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    const std::string directory = parent.empty() ? "." : parent.string();
    if (::access(directory.c_str(), W_OK | X_OK) == 0) return;
    const Error error = system_error(path, "cannot create", errno);
    throw Error(error.code() == ExitCode::no_input ? ExitCode::cannot_create : error.code(),
                error.what());
}

}  // namespace sluice::campaign
