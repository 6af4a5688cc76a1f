#pragma once

#include <string>

namespace sluice::campaign {

/// Throws if a file of this name could not be made, so that it is told before the work and not
/// after: Error(cannot_create|permission). Nothing to do for an empty path.
void require_writable(const std::string& path);

}  // namespace sluice::campaign
