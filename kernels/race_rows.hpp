#pragma once

#include "core/philox.hpp"
#include "core/types.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::kernels {

/// Random words of rows, of the draws `first` to `first + count - 1`:
/// random_words(seed, purpose, round, row, draw).word[word].
struct RaceDraws {
    std::uint64_t seed = 0;
    RandomPurpose purpose = RandomPurpose::diversity_race;
    std::uint32_t round = 0;
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    int word = 1;  ///< 0 or 1
};

/// A row that is early in a draw.
struct EarlyRow {
    std::int64_t row = 0;    ///< its place among the rows given
    std::uint32_t draw = 0;  ///< first of `draws` is 0
};

/// All places and draws whose word is at most limits[place], by place and then by draw, as far as
/// rows of one vector go; the same ones on every instruction set. On `num_threads` threads.
std::vector<EarlyRow> early_rows(const RaceDraws& draws, std::span<const RowId> rows,
                                 std::span<const std::uint32_t> limits, int num_threads);

}  // namespace sluice::kernels
