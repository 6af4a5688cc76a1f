#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

namespace sluice {

/// Whether a symbolic link stands for itself or for where it leads.
enum class Links { keep, follow };

/// What stands at `path`; nothing if there is nothing of this name. Throws Error where that cannot
/// be found out: whoever takes a failed look for an absence does the wrong thing quietly.
std::optional<struct stat> path_status(const std::string& path, Links links);

/// Whether it is a directory, or a link to one. Throws as path_status.
bool is_directory(const std::string& path);

}  // namespace sluice
