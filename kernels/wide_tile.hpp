#pragma once

#include "kernels/cuda/thread_block.hpp"
#include "kernels/simd/lane.hpp"

#include <cstdint>

/// Dot products in float64 as a block of threads computes them: 64 vectors with 64 others, 16 of
/// the products to a thread, each one chain over k ascending from 0, as on the CPU.
namespace sluice::kernels {

inline constexpr int wide_threads = 256;
inline constexpr int wide_tile = 64;  ///< vectors along either side
inline constexpr int wide_depth = 8;  ///< elements of them in shared memory at a time
inline constexpr int wide_side = 16;  ///< threads along either side
inline constexpr int wide_own = 4;    ///< vectors of a thread along either side
static_assert(wide_tile == wide_side * wide_own && wide_threads == wide_side * wide_side);

/// Vectors in the memory of whoever runs it.
template <class Value>
struct WideVectors {
    const Value* values = nullptr;  ///< [any, dim]
    std::int64_t count = 0;
    std::int64_t dim = 0;
    const std::int64_t* picked = nullptr;  ///< [count] which of them; null: the first `count`

    SLUICE_LANE const Value* at(std::int64_t i) const {
        return values + (picked != nullptr ? picked[i] : i) * dim;
    }
};

struct WideShared {
    double left[wide_depth][wide_tile + 2];
    double right[wide_depth][wide_tile + 2];
};

/// What a thread keeps.
struct WideThread {
    double sums[wide_own][wide_own];
};

/// How a chain goes on. Of numbers that were float32 the product is exact, and one rounding does
/// what two would.
struct ExactProducts {
    SLUICE_LANE static double add(double sum, double x, double y) {
#ifdef __CUDA_ARCH__
        return fma(x, y, sum);
#else
        return sum + x * y;
#endif
    }
};
struct RoundedProducts {
    SLUICE_LANE static double add(double sum, double x, double y) { return sum + x * y; }
};

/// Place in the tile of vector i of a thread's four.
SLUICE_LANE int wide_place(int thread_of_side, int i) {
    return thread_of_side + i * wide_side;
}

namespace wide_detail {

/// Copies elements k0, k0 + 1, ... of vectors into a tile, transposed; zero past their ends.
template <class Value>
SLUICE_LANE void load(double (*tile)[wide_tile + 2], const WideVectors<Value>& vectors,
                      std::int64_t first, std::int64_t k0, int thread) {
    constexpr int each = wide_tile * wide_depth / wide_threads;
    constexpr int loads = wide_depth / each;  // threads that share a vector
    const std::int64_t vector = first + thread / loads;
    for (int e = 0; e < each; ++e) {
        const int offset = thread % loads * each + e;
        const bool is_there = vector < vectors.count && k0 + offset < vectors.dim;
        tile[offset][thread / loads] =
            is_there ? static_cast<double>(vectors.at(vector)[k0 + offset]) : 0.0;
    }
}

template <class Products>
SLUICE_LANE void add_terms(const WideShared& shared, int thread, WideThread& own) {
    SLUICE_UNROLL
    for (int k = 0; k < wide_depth; ++k) {
        double x[wide_own];
        double y[wide_own];
        SLUICE_UNROLL
        for (int i = 0; i < wide_own; ++i) {
            x[i] = shared.left[k][wide_place(thread / wide_side, i)];
            y[i] = shared.right[k][wide_place(thread % wide_side, i)];
        }
        SLUICE_UNROLL
        for (int i = 0; i < wide_own; ++i) {
            SLUICE_UNROLL
            for (int j = 0; j < wide_own; ++j)
                own.sums[i][j] = Products::add(own.sums[i][j], x[i], y[j]);
        }
    }
}

}  // namespace wide_detail

/// Computes the products of vectors first_left, ... and first_right, ..., which the threads keep.
/// `Block` is a block of wide_threads threads that keep what is derived from a WideThread. (A term
/// of zero past the last element leaves a sum as it is: none is ever -0.)
template <class Products, class Block, class Left, class Right>
SLUICE_LANE void wide_products(Block& block, WideShared& shared, const WideVectors<Left>& left,
                               std::int64_t first_left, const WideVectors<Right>& right,
                               std::int64_t first_right) {
    block.each([&](int, WideThread& own) {
        for (auto& line : own.sums)
            for (double& sum : line)
                sum = 0.0;
    });
    for (std::int64_t k0 = 0; k0 < left.dim; k0 += wide_depth) {
        block.each([&](int thread, WideThread&) {
            wide_detail::load(shared.left, left, first_left, k0, thread);
            wide_detail::load(shared.right, right, first_right, k0, thread);
        });
        block.each([&](int thread, WideThread& own) {
            wide_detail::add_terms<Products>(shared, thread, own);
        });
    }
}

}  // namespace sluice::kernels
