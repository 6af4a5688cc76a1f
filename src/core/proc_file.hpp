#pragma once

#include <optional>
#include <string>

namespace sluice {

/// What the system tells in a small file of /proc; nothing if there is no such file, or if this
/// machine hides it. Throws Error where reading fails.
std::optional<std::string> read_proc_file(const std::string& path);

}  // namespace sluice
