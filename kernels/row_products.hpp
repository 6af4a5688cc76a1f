#pragma once

#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>

namespace sluice::kernels {

/// Rows of a panel of row_products.
inline constexpr std::int64_t products_panel = 8;

/// Most panels and vectors that row_products takes at a time on this processor.
struct ProductsTile {
    int panels = 1;
    int vectors = 1;
};
ProductsTile products_tile();

/// Lays out the rows picked[0], picked[1], ..., all of them where none are picked, in panels of
/// products_panel rows, each [dim, products_panel]; the last panel repeats its last row.
void pack_products(MatrixView rows, std::span<const std::int64_t> picked, float* panels);

/// products[(v * num_panels + p) * products_panel + j] = sum over k ascending of row j of panel p
/// times vectors[v], [dim]: from 0, each product rounded to float64 and then added, one chain. Of
/// at most products_tile() panels and vectors, on the calling thread.
void row_products(const float* panels, int num_panels, std::int64_t dim,
                  std::span<const double* const> vectors, double* products);

/// values[j] -= products[j] * products[j] / divisor, each operation rounded, for those j whose
/// seen[j] <= number. As many as `values` has, a multiple of products_panel.
void take_off_squares(const double* products, double divisor, const double* seen, double number,
                      std::span<double> values);

}  // namespace sluice::kernels
