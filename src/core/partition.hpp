#pragma once

#include "core/types.hpp"

#include <cstdint>

namespace sluice {

/// Share `part` of [0, num_rows) cut into `num_parts` contiguous ranges whose sizes differ by at
/// most `granule` rows; every inner border is a multiple of `granule` (1 = any row).
/// Parts may be empty when there are more parts than granules. Requires 0 <= part < num_parts.
RowRange part_of_rows(RowId num_rows, int part, int num_parts, std::int64_t granule = 1);

}  // namespace sluice
