#pragma once

#include "core/types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::queue {

/// The `row` column of a selected.csv, in file order. Throws Error(bad_data), naming `path`, for
/// anything selected_csv() does not write.
std::vector<RowId> rows_of_selected_csv(std::string_view text, const std::string& path);

}  // namespace sluice::queue
