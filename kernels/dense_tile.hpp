#pragma once

// The body of the dense_*.cpp files, each compiled for one instruction set. All of it has internal
// linkage or vanishes into its caller, and calls no library template: a function shared with other
// files could be taken by the linker from the file compiled for a newer processor.

#include "kernels/activation_functions.hpp"
#include "kernels/dense_cpu.hpp"

#include <cstdint>

namespace sluice::kernels {
namespace {

constexpr int panel_width = 16;

// Rows of the left-hand side that stay in the second-level cache while the panels pass.
constexpr std::int64_t block_floats = std::int64_t{1} << 16;
constexpr std::int64_t least_tiles = 4;

// One tile of a product: its rows, its panels, what the sums of each column start from, and where
// the sums go, row after row.
struct DenseTile {
    const float* left;
    const float* panels;
    const float* start;
    float* sums;
};

template <typename Lanes, int num_panels, int num_rows>
void tile(const DenseProduct& product, const DenseTile& at) {
    constexpr int vectors = panel_width / Lanes::width;
    Lanes sums[num_rows][num_panels * vectors];
    for (int v = 0; v < num_panels * vectors; ++v)
        for (int i = 0; i < num_rows; ++i)
            sums[i][v] = Lanes::load(at.start + v * Lanes::width);
    const std::int64_t depth = product.depth;
    const std::int64_t stride = product.left_stride;
    for (std::int64_t k = 0; k < depth; ++k) {
        Lanes column[num_panels * vectors];
        for (int v = 0; v < num_panels * vectors; ++v)
            column[v] = Lanes::load(at.panels + (v / vectors * depth + k) * panel_width +
                                    v % vectors * Lanes::width);
        for (int i = 0; i < num_rows; ++i) {
            const Lanes x(at.left[i * stride + k]);
            for (int v = 0; v < num_panels * vectors; ++v)
                sums[i][v] = multiply_add(x, column[v], sums[i][v]);
        }
    }
    for (int i = 0; i < num_rows; ++i)
        for (int v = 0; v < num_panels * vectors; ++v)
            store_lanes(at.sums + (i * num_panels * vectors + v) * Lanes::width, sums[i][v]);
}

template <typename Lanes, int num_panels, int num_rows>
void tile_of_rows(const DenseProduct& product, const DenseTile& at, std::int64_t rows) {
    if constexpr (num_rows > 1)
        if (rows < num_rows)
            return tile_of_rows<Lanes, num_panels, num_rows - 1>(product, at, rows);
    tile<Lanes, num_panels, num_rows>(product, at);
}

// Sums of `rows` rows to their place: `count` columns of each.
template <typename Lanes, typename Function>
void finish(const float* sums, std::int64_t rows, std::int64_t sums_stride, std::int64_t count,
            float* out, std::int64_t out_stride) {
    for (std::int64_t i = 0; i < rows; ++i) {
        const float* from = sums + i * sums_stride;
        float* to = out + i * out_stride;
        std::int64_t j = 0;
        for (; j + Lanes::width <= count; j += Lanes::width)
            store_lanes(to + j, Function::of(Lanes::load(from + j)));
        if (j == count) continue;
        float last[Lanes::width];
        store_lanes(last, Function::of(Lanes::load(from + j)));
        for (int rest = 0; j + rest < count; ++rest)
            to[j + rest] = last[rest];
    }
}

// `num_panels` panels from `panel` on, for the rows [begin, end).
template <typename Lanes, int num_panels, int tile_rows>
void multiply_panels(const DenseProduct& product, std::int64_t panel, std::int64_t begin,
                     std::int64_t end) {
    const std::int64_t first = panel * panel_width;
    const std::int64_t left_columns = product.columns - first;
    const std::int64_t count =
        left_columns < num_panels * panel_width ? left_columns : num_panels * panel_width;
    alignas(64) float start[num_panels * panel_width] = {};
    if (product.bias != nullptr)
        for (std::int64_t j = 0; j < count; ++j)
            start[j] = product.bias[first + j];
    alignas(64) float sums[num_panels * panel_width * tile_rows];
    for (std::int64_t row = begin; row < end; row += tile_rows) {
        const std::int64_t rows = end - row < tile_rows ? end - row : tile_rows;
        tile_of_rows<Lanes, num_panels, tile_rows>(
            product,
            {product.left + row * product.left_stride, product.panels + first * product.depth,
             start, sums},
            rows);
        float* to = product.out + row * product.out_stride + first;
        with_activation(product.activation, [&](auto function) {
            finish<Lanes, decltype(function)>(sums, rows, num_panels * panel_width, count, to,
                                              product.out_stride);
        });
    }
}

template <typename Shape>
void multiply_in_tiles(const DenseProduct& product) {
    using Lanes = typename Shape::Lanes;
    const std::int64_t num_panels = (product.columns + panel_width - 1) / panel_width;
    const std::int64_t fitting = block_floats / (product.depth + 1) / Shape::rows;
    const std::int64_t block_rows = (fitting < least_tiles ? least_tiles : fitting) * Shape::rows;
    for (std::int64_t begin = 0; begin < product.rows; begin += block_rows) {
        const std::int64_t end =
            product.rows - begin < block_rows ? product.rows : begin + block_rows;
        std::int64_t panel = 0;
        for (; panel + Shape::panels <= num_panels; panel += Shape::panels)
            multiply_panels<Lanes, Shape::panels, Shape::rows>(product, panel, begin, end);
        for (; panel < num_panels; ++panel)
            multiply_panels<Lanes, 1, Shape::rows>(product, panel, begin, end);
    }
}

}  // namespace
}  // namespace sluice::kernels
