#pragma once

#include "pool/dataset.hpp"
#include "pool/pool.hpp"

#include <string>
#include <vector>

namespace sluice::pool {

/// What one pool file holds.
struct FileDescription {
    std::vector<Dataset> datasets;      ///< each with one part, rows [0, n)
    std::vector<std::string> contents;  ///< all datasets (some dozens), as in `x float32 [100,8]`
    std::vector<std::string> notes;     ///< warnings for the user
};

/// Describes a file in a child process; of `source`, the roles' datasets count. Throws Error as
/// open_pool says.
FileDescription describe_file(const std::string& path, const PoolSource& source);

/// `[100,8,3]`.
std::string shape_text(const std::vector<std::int64_t>& dims);

}  // namespace sluice::pool
