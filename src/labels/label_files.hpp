#pragma once

#include "core/types.hpp"
#include "pool/dataset.hpp"

#include <string>
#include <vector>

namespace sluice::labels {

/// What `y` [L] integers say of a row that has no label yet.
inline constexpr std::int64_t missing_label = -1;

/// The labels files behind `path`: the file itself, or the `labels.g*.h5` of a directory in name
/// order.
std::vector<std::string> label_files(const std::string& path);

/// Whether a dataset's elements are integers; as `y`, those are classes.
bool is_integer(pool::ElementType type);

/// 0, 1, ..., count - 1.
std::vector<RowId> all_rows(RowId count);

}  // namespace sluice::labels
