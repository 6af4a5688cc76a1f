#pragma once

#include "kernels/score_rows_cpu.hpp"
#include "kernels/scores/list.hpp"

#include <cstddef>
#include <cstdint>

/// The CPU back end's loop over a block, for one vector type. Included by one translation unit for
/// each instruction set, compiled with that set's flags: everything here is a template over the
/// vector type (or forced inline), so that no function compiled for one set can be linked into
/// code meant for another.
namespace sluice::kernels {

/// How far ahead of the rows being scored the next ones are fetched, at least.
inline constexpr std::int64_t early_floats = 2048;

template <class Lanes, class Score, ScoreInput input>
void score_block(const ScoreBlock& block, float* tile, float* scores) {
    constexpr std::int64_t width = Lanes::width;
    const std::int64_t elements = block.members * block.classes;
    const std::int64_t rows = block.rows.end - block.rows.begin;
    RowView<Lanes> view{tile, width, block.members, block.classes};
    // Whole tiles ahead, and far enough for memory to answer.
    const std::int64_t early = (early_floats / (width * elements) + 1) * width * elements;
    for (std::int64_t row = 0; row < rows; row += width) {
        const int num_rows = static_cast<int>(rows - row < width ? rows - row : width);
        fill_tile(Lanes(), block.values + row * elements, elements, num_rows, tile);
        view.next_rows = block.values + row * elements + early;
        const Lanes result = score_of<input>(Score(), view);
        if (num_rows == width) {
            store_lanes(scores + row, result);
        } else {
            float last[width];
            store_lanes(last, result);
            for (int i = 0; i < num_rows; ++i)
                scores[row + i] = last[i];
        }
    }
}

template <class Lanes, class Score, std::size_t which = 0>
SLUICE_LANE BlockFunction block_function_of_score(ScoreInput input) {
    if constexpr (which < Score::inputs.size()) {
        if (Score::inputs[which] == input) return score_block<Lanes, Score, Score::inputs[which]>;
        return block_function_of_score<Lanes, Score, which + 1>(input);
    } else {
        return nullptr;
    }
}

/// The function for score number `index` of the list and `input`; null if it cannot read that.
template <class Lanes, class... Listed>
SLUICE_LANE BlockFunction block_function(ScoreList<Listed...>, std::size_t index,
                                         ScoreInput input) {
    BlockFunction found = nullptr;
    std::size_t position = 0;
    ((position++ == index ? (found = block_function_of_score<Lanes, Listed>(input)) : nullptr),
     ...);
    return found;
}

}  // namespace sluice::kernels
