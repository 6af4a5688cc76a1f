#pragma once

#include "core/error.hpp"

#include <optional>
#include <string>

namespace sluice {

/// Keeps what failed where the work can go on without it: clearing up, closing what was only read.
/// The first such failure of this process counts. `path`, `action` and `error_number` are those of
/// system_error. Thread-safe.
void note_trouble(const std::string& path, const char* action, int error_number) noexcept;
void note_trouble(const Error& error) noexcept;

/// The trouble noted since the last call, if there was any: whoever has brought the work to its
/// end fails with it then.
std::optional<Error> take_trouble();

/// Throws it.
void fail_on_trouble();

}  // namespace sluice
