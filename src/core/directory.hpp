#pragma once

#include <string>
#include <vector>

namespace sluice {

/// Names in a directory, sorted, without `.` and `..`; none if it does not exist. Throws Error
/// where it cannot be listed.
std::vector<std::string> list_directory(const std::string& directory);

/// Removes a file, or a directory with all that is in it. Links are removed, never followed;
/// folders without permission for their owner are opened first. Nothing to do if it is gone. What
/// cannot be removed stays, the rest is removed, and the trouble is noted (trouble.hpp).
void clear_away(const std::string& path) noexcept;

}  // namespace sluice
