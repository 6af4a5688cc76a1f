#pragma once

#include "pool/dataset.hpp"

#include <map>
#include <string>
#include <vector>

namespace sluice::pool {

/// What one pool file holds.
struct FileDescription {
    std::vector<Dataset> datasets;      ///< each with one part, rows [0, n)
    std::vector<std::string> contents;  ///< all datasets (some dozens), as in `x float32 [100,8]`
    std::vector<std::string> notes;     ///< warnings for the user
};

/// Describes a file in a child process. `datasets` maps roles to paths where not `/ROLE`; those
/// must exist. Throws Error as open_pool says.
FileDescription describe_file(const std::string& path,
                              const std::map<std::string, std::string>& datasets);

/// `[100,8,3]`.
std::string shape_text(const std::vector<std::int64_t>& dims);

}  // namespace sluice::pool
