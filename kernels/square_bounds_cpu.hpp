#pragma once

#include "kernels/square_bounds.hpp"

#include <cstdint>

namespace sluice::kernels {

/// The inner loops of add_squares, built once for each instruction set.
struct SquareInstructions {
    int max_panels;
    int max_vectors;
    /// panel[k * 16 + j] = rows[j][k].
    void (*pack)(const float* const* rows, std::int64_t dim, float* panel);
    void (*add)(const SquaresRows& rows, const SquaresVectors& vectors);
};

extern const SquareInstructions squares_baseline;
extern const SquareInstructions squares_avx2;    ///< in builds for x86-64 only
extern const SquareInstructions squares_avx512;  ///< likewise

}  // namespace sluice::kernels
