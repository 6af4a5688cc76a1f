#pragma once

#include "kernels/wide_tile.hpp"

#include <cstdint>

/// Variances that fall by looks, (x m)^2 / v each, as a block of threads computes them: 64 rows
/// against the looks that they have not seen, in the looks' order. The products are never written.
namespace sluice::kernels {

struct VarianceTask {
    WideVectors<float> rows;
    const std::int32_t* seen = nullptr;  ///< [rows] looks that are off already, ascending
    WideVectors<double> looks;           ///< directions m
    const double* divisors = nullptr;    ///< [looks] v
    double* variances = nullptr;         ///< [rows] lowered
};

struct VarianceShared : WideShared {
    double along[wide_tile][wide_tile + 1];
};
/// What a thread keeps: of a product, and for the first 64 threads a row's variance.
struct VarianceThread : WideThread {
    double variance;
    std::int32_t seen;
};

/// Lowers the variances of rows block_index * wide_tile, ... of the task. `Block` is a block of
/// wide_threads threads that keep a VarianceThread each.
template <class Block>
SLUICE_LANE void variance_block(Block& block, VarianceShared& shared, const VarianceTask& task,
                                std::int64_t block_index) {
    const std::int64_t first_row = block_index * wide_tile;
    const auto has_row = [&](int thread) {
        return thread < wide_tile && first_row + thread < task.rows.count;
    };
    block.each([&](int thread, VarianceThread& own) {
        if (!has_row(thread)) return;
        own.variance = task.variances[first_row + thread];
        own.seen = task.seen[first_row + thread];
    });
    // The first row misses the most.
    for (std::int64_t first = task.seen[first_row]; first < task.looks.count; first += wide_tile) {
        wide_products<RoundedProducts>(block, shared, task.rows, first_row, task.looks, first);
        block.each([&](int thread, VarianceThread& own) {
            for (int i = 0; i < wide_own; ++i)
                for (int j = 0; j < wide_own; ++j)
                    shared.along[wide_place(thread / wide_side, i)]
                                [wide_place(thread % wide_side, j)] = own.sums[i][j];
        });
        block.each([&](int thread, VarianceThread& own) {
            if (!has_row(thread)) return;
            const std::int64_t left = task.looks.count - first;
            const int width = left < wide_tile ? static_cast<int>(left) : wide_tile;
            for (int j = 0; j < width; ++j) {
                const double along = shared.along[thread][j];
                if (own.seen <= first + j) own.variance -= along * along / task.divisors[first + j];
            }
        });
    }
    block.each([&](int thread, VarianceThread& own) {
        if (has_row(thread)) task.variances[first_row + thread] = own.variance;
    });
}

}  // namespace sluice::kernels
