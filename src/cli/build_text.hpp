#pragma once

#include <string>

namespace sluice::cli {

/// What `sluice --version` prints: version and commit, compiler, and the libraries built with.
std::string build_text();

}  // namespace sluice::cli
