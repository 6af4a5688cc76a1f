#pragma once

#include "core/types.hpp"

#include <cstdint>

namespace sluice {

/// Share `part` of [0, num_rows) cut into `num_parts` contiguous ranges whose sizes differ by at
/// most `granule` rows; every inner border is a multiple of `granule` (1 = any row).
/// Parts may be empty when there are more parts than granules. Requires 0 <= part < num_parts.
RowRange part_of_rows(RowId num_rows, int part, int num_parts, std::int64_t granule = 1);

/// How many blocks of `block_rows` > 0 rows, the last one shorter, make up `rows`.
constexpr std::int64_t num_blocks(RowRange rows, std::int64_t block_rows) {
    return (rows.size() + block_rows - 1) / block_rows;
}

/// The rows of one of them. Requires 0 <= index < num_blocks(rows, block_rows).
constexpr RowRange block_of_rows(RowRange rows, std::int64_t block_rows, std::int64_t index) {
    const RowId begin = rows.begin + index * block_rows;
    return {begin, begin + block_rows < rows.end ? begin + block_rows : rows.end};
}

}  // namespace sluice
