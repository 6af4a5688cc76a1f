#pragma once

#include <string>

namespace sluice {

/// `0.1.0`, with `+COMMIT` when git knew it at configure time.
std::string version_text();

}  // namespace sluice
