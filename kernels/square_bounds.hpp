#pragma once

#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>

namespace sluice::kernels {

/// Rows of a panel of add_squares.
inline constexpr std::int64_t squares_panel = 16;

/// Elements that one chain of a product takes; the sums of the chains are one chain again.
inline constexpr std::int64_t squares_chain = 32;

/// Most panels and vectors that add_squares takes at a time on this processor.
struct SquaresTile {
    int panels = 1;
    int vectors = 1;
};
SquaresTile squares_tile();

/// Lays out the rows picked[0], picked[1], ... in panels of squares_panel rows, each
/// [dim, squares_panel]; the last panel repeats its last row.
void pack_squares(MatrixView rows, std::span<const std::int64_t> picked, float* panels);

/// Rows of add_squares and what is known of them, [num_panels * squares_panel] each.
struct SquaresRows {
    const float* panels = nullptr;  ///< as pack_squares lays them out
    int num_panels = 0;
    std::int64_t dim = 0;
    const float* errors = nullptr;  ///< of a product with a vector of length 1, at most
    const float* seen = nullptr;    ///< vectors of smaller numbers are left out
    float* least = nullptr;         ///< sums of squares at least
    float* likely = nullptr;        ///< sums of squares as they come
};

/// Vectors number `first` and on.
struct SquaresVectors {
    const float* values = nullptr;   ///< [count, dim]
    const float* lengths = nullptr;  ///< [count], at least
    std::int64_t first = 0;
    int count = 0;
    /// Rows [dim] that are fetched meanwhile, as they will be needed soon.
    const float* const* early = nullptr;
    int num_early = 0;
};

/// In float32, product by product in the order of the vectors:
///   least[j] += max(0, |x_j . v| - (errors[j] * length of v + 1e-37))^2, likely[j] += (x_j . v)^2
/// with each product the sum of chains over k ascending, fused where the processor has that. What
/// is not a number adds nothing to `least`. Of at most squares_tile() panels and vectors, on the
/// calling thread.
void add_squares(const SquaresRows& rows, const SquaresVectors& vectors);

/// An upper bound of |computed x.v - x.v| / (|x| |v|) for add_squares, with `roundings` more
/// besides those of its chains. Infinite where there is none. \source Higham, Accuracy and
/// Stability of Numerical Algorithms, 2nd ed., (3.5): gamma_n.
double product_error(std::int64_t dim, std::int64_t roundings);

}  // namespace sluice::kernels
