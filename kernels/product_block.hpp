#pragma once

#include "kernels/activation_functions.hpp"
#include "kernels/score_staging.hpp"

#include <cstdint>

/// A layer of a network as a block of threads computes it: 128 rows of it and 16, 64 or 128 of its
/// outputs. Each is one FMA chain over k ascending from its bias, as on the CPU; no term is added
/// for the sake of a full tile, which could change a zero's sign.
namespace sluice::kernels {

/// The arguments of a layer, in the memory of whoever runs it.
struct Product {
    const float* left;  ///< [rows, inner], rows left_stride apart
    std::int64_t rows;
    std::int64_t left_stride;
    const float* right;  ///< [inner, columns]
    std::int64_t inner;
    std::int64_t columns;
    const float* bias;  ///< [columns], or null: chains begin with 0
    Activation activation;
    float* out;  ///< [rows, columns], rows out_stride apart
    std::int64_t out_stride;
};

/// Which tile of the product a block computes.
struct ProductTile {
    std::int64_t row;
    std::int64_t column;
};

/// For blocks with `columns_per_thread` outputs to a thread: 1, 4 or 8.
template <int columns_per_thread>
struct ProductShape {
    static constexpr int side = 16;  // threads along either side of a tile
    static constexpr int rows_per_thread = 8;
    static constexpr int threads = side * side;
    static constexpr int rows = side * rows_per_thread;  // of a tile
    static constexpr int columns = side * columns_per_thread;
    static constexpr int depth = 8;  // elements of rows and columns in shared memory at a time
    static constexpr int pack = FloatPack::size;
    static constexpr int columns_together = columns_per_thread < pack ? columns_per_thread : pack;

    struct Shared {
        alignas(16) float left[depth][rows + pack];
        alignas(16) float right[depth][columns + pack];
    };
    /// What a thread keeps.
    struct Thread {
        float sums[rows_per_thread][columns_per_thread];
    };
};

namespace product_detail {

/// Place in a tile `side * count` wide of value i of a thread's `count`: `together` side by side.
template <int together>
SLUICE_LANE int place(int thread_of_side, int i) {
    return (i / together * 16 + thread_of_side) * together + i % together;
}

SLUICE_LANE bool is_packed(const float* values, std::int64_t stride) {
    return reinterpret_cast<std::uintptr_t>(values) % sizeof(FloatPack) == 0 &&
           stride % FloatPack::size == 0;
}

/// values[0], ... values[3], of which the first `count` are there.
SLUICE_LANE FloatPack load(const float* values, std::int64_t count, bool packed) {
    if (packed && count >= FloatPack::size) return *reinterpret_cast<const FloatPack*>(values);
    FloatPack loaded{};
    for (int i = 0; i < FloatPack::size; ++i)
        if (i < count) loaded.at[i] = values[i];
    return loaded;
}

/// Copies elements k0, k0 + 1, ... of the tile's rows, transposed.
template <class Shape>
SLUICE_LANE void load_left(typename Shape::Shared& shared, const Product& product, ProductTile tile,
                           std::int64_t k0, int thread) {
    static_assert(Shape::rows * Shape::depth == Shape::threads * Shape::pack);
    constexpr int packs = Shape::depth / Shape::pack;
    const std::int64_t row = tile.row + thread / packs;
    const int offset = thread % packs * Shape::pack;
    FloatPack loaded{};
    if (row < product.rows)
        loaded = load(product.left + row * product.left_stride + k0 + offset,
                      product.inner - k0 - offset, is_packed(product.left, product.left_stride));
    for (int i = 0; i < Shape::pack; ++i)
        shared.left[offset + i][thread / packs] = loaded.at[i];
}

/// Copies elements k0, k0 + 1, ... of the tile's columns.
template <class Shape>
SLUICE_LANE void load_right(typename Shape::Shared& shared, const Product& product,
                            ProductTile tile, std::int64_t k0, int thread) {
    constexpr int packs = Shape::columns / Shape::pack;
    if (thread >= packs * Shape::depth) return;
    const std::int64_t k = k0 + thread / packs;
    const std::int64_t column = tile.column + thread % packs * Shape::pack;
    FloatPack loaded{};
    if (k < product.inner)
        loaded = load(product.right + k * product.columns + column, product.columns - column,
                      is_packed(product.right, product.columns));
    for (int i = 0; i < Shape::pack; ++i)
        shared.right[thread / packs][thread % packs * Shape::pack + i] = loaded.at[i];
}

/// One step of the chains of a thread.
template <class Shape>
SLUICE_LANE void add_terms(const typename Shape::Shared& shared, int k, int thread,
                           typename Shape::Thread& own) {
    constexpr int num_columns = Shape::columns / Shape::side;
    float x[Shape::rows_per_thread];
    float y[num_columns];
    SLUICE_UNROLL
    for (int i = 0; i < Shape::rows_per_thread; ++i)
        x[i] = shared.left[k][place<Shape::pack>(thread / Shape::side, i)];
    SLUICE_UNROLL
    for (int j = 0; j < num_columns; ++j)
        y[j] = shared.right[k][place<Shape::columns_together>(thread % Shape::side, j)];
    SLUICE_UNROLL
    for (int i = 0; i < Shape::rows_per_thread; ++i) {
        SLUICE_UNROLL
        for (int j = 0; j < num_columns; ++j)
            own.sums[i][j] = multiply_add(x[i], y[j], own.sums[i][j]);
    }
}

/// Where sum [i][j] of a thread goes; null outside the product.
template <class Shape>
SLUICE_LANE float* output(const Product& product, ProductTile tile, int thread, int i, int j) {
    const std::int64_t row = tile.row + place<Shape::pack>(thread / Shape::side, i);
    const std::int64_t column =
        tile.column + place<Shape::columns_together>(thread % Shape::side, j);
    if (row >= product.rows || column >= product.columns) return nullptr;
    return product.out + row * product.out_stride + column;
}

}  // namespace product_detail

/// Computes the sums of one tile, which the threads keep. `Block` is a block of Shape::threads
/// threads that each keep a Shape::Thread, or what is derived from one.
template <class Shape, class Block>
SLUICE_LANE void multiply_tile(Block& block, typename Shape::Shared& shared, const Product& product,
                               ProductTile tile) {
    using namespace product_detail;
    constexpr int num_columns = Shape::columns / Shape::side;
    block.each([&](int thread, typename Shape::Thread& own) {
        SLUICE_UNROLL
        for (int j = 0; j < num_columns; ++j) {
            const std::int64_t column =
                tile.column + place<Shape::columns_together>(thread % Shape::side, j);
            const bool has_bias = product.bias != nullptr && column < product.columns;
            const float bias = has_bias ? product.bias[column] : 0.0F;
            SLUICE_UNROLL
            for (int i = 0; i < Shape::rows_per_thread; ++i)
                own.sums[i][j] = bias;
        }
    });
    for (std::int64_t k0 = 0; k0 < product.inner; k0 += Shape::depth) {
        block.each([&](int thread, typename Shape::Thread&) {
            load_left<Shape>(shared, product, tile, k0, thread);
            load_right<Shape>(shared, product, tile, k0, thread);
        });
        block.each([&](int thread, typename Shape::Thread& own) {
            if (product.inner - k0 >= Shape::depth) {
                SLUICE_UNROLL
                for (int k = 0; k < Shape::depth; ++k)
                    add_terms<Shape>(shared, k, thread, own);
            } else {
                for (int k = 0; k < product.inner - k0; ++k)
                    add_terms<Shape>(shared, k, thread, own);
            }
        });
    }
}

/// Computes one tile and writes it.
template <class Shape, class Block>
SLUICE_LANE void product_block(Block& block, typename Shape::Shared& shared, const Product& product,
                               ProductTile tile) {
    using namespace product_detail;
    constexpr int num_columns = Shape::columns / Shape::side;
    multiply_tile<Shape>(block, shared, product, tile);
    block.each([&](int thread, typename Shape::Thread& own) {
        SLUICE_UNROLL
        for (int i = 0; i < Shape::rows_per_thread; ++i) {
            SLUICE_UNROLL
            for (int j = 0; j < num_columns; ++j)
                if (float* const to = output<Shape>(product, tile, thread, i, j))
                    *to = own.sums[i][j];
        }
        if (product.activation == Activation::identity) return;
        // Through memory: a function for each of the sums would be more code than fits a cache.
        for (int i = 0; i < Shape::rows_per_thread; ++i)
            for (int j = 0; j < num_columns; ++j)
                if (float* const at = output<Shape>(product, tile, thread, i, j))
                    *at = activate(product.activation, *at);
    });
}

}  // namespace sluice::kernels
