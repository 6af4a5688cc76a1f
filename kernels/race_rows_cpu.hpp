#pragma once

#include "kernels/race_rows.hpp"

namespace sluice::kernels {

/// A lane of a vector of rows that is early in a draw.
struct EarlyLane {
    std::uint32_t lane;
    std::uint32_t draw;
};

/// The inner loop of early_rows, built once for each instruction set with the same results.
struct RaceInstructions {
    int width;  ///< rows in a vector, 16 at most
    /// Writes the early lanes of `width` rows to `to`, draw after draw, and returns how many.
    int (*early)(const RaceDraws& draws, const RowId* rows, const std::uint32_t* limits,
                 EarlyLane* to);
};

extern const RaceInstructions race_baseline;
extern const RaceInstructions race_avx2;    ///< in builds for x86-64 only
extern const RaceInstructions race_avx512;  ///< likewise

}  // namespace sluice::kernels
