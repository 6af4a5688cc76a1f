#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sluice {

/// What the system tells in a small file of /proc; nothing if there is no such file, or if this
/// machine hides it. Throws Error where reading fails.
std::optional<std::string> read_proc_file(const std::string& path);

/// Whether /proc shows the processes by the numbers that they have for this one.
bool proc_is_of_here();

/// A field of /proc/PROCESS/stat by its number in proc(5), from 3 (state) on; empty if it cannot be
/// told.
std::string proc_stat_field(std::int64_t process, int number);

}  // namespace sluice
