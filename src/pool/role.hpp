#pragma once

#include "h5/inspect.hpp"
#include "pool/dataset.hpp"

#include <string>
#include <vector>

namespace sluice::pool {

/// What a role asks of its dataset.
struct RoleRule {
    enum class Values { numbers, integers, integers_or_text, anything } values = Values::numbers;
    std::size_t min_rank = 1;
    std::size_t max_rank = 1;
    std::int64_t min_last_extent = 1;  ///< classes, dimensions
    std::string shape;                 ///< for messages: "[N,D]"
    std::string last_extent_name;      ///< for messages: "classes"
};

/// The rule of a standard role or of "columns/NAME"; other roles may be nearly anything.
RoleRule rule_of(const std::string& role);

/// Fills in type and shape after checking them against the role. `where` is `FILE: DATASET`.
/// Throws Error(bad_data): wrong rank, type, extents, or sizes beyond what can be addressed.
void apply_rule(const RoleRule& rule, const h5::DatasetInfo& info, const std::string& where,
                Dataset& dataset);

/// `float32 [100,8]`, for lists of what a file has.
std::string summary_of(const h5::DatasetInfo& info);

}  // namespace sluice::pool
