#pragma once

#include "core/philox.hpp"
#include "core/types.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::pool {

/// Independent standard normals: row r's values depend on (seed, r, dim) alone, so any rank may
/// make any rows. `out` [rows.size(), dim], row-major.
/// \source Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958
void fill_normal_rows(std::uint64_t seed, RowRange rows, std::int64_t dim, std::span<float> out);

/// `count` standard normals of a pool's fixed structure (centres, weights). Tables of different
/// numbers are independent of each other and of all rows.
std::vector<float> normal_table(std::uint64_t seed, std::uint32_t table, std::int64_t count);

/// `count` uniform numbers in (0, 1) of a pool's fixed structure.
std::vector<float> uniform_table(std::uint64_t seed, std::uint32_t table, std::int64_t count);

/// Four random words of one row, independent of its normals: which cluster, where on the sheet.
Philox4 latent_words(std::uint64_t seed, RowId row);

}  // namespace sluice::pool
