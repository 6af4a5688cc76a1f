#pragma once

#include "kernels/product_block.hpp"

#include <cstdint>

/// Which rows of a sample may be the nearest to each row, as a block of threads finds them: 128
/// rows against all of the sample, 64 at a time. The products are never written.
namespace sluice::kernels {

inline constexpr int sample_search_kept = 40;  ///< rows of the sample found for a row

struct SampleSearchTask {
    const float* rows = nullptr;  ///< [count, dim]
    std::int64_t count = 0;
    std::int64_t dim = 0;
    std::int64_t first = 0;                 ///< number of the first row in the pool
    const float* transposed = nullptr;      ///< [dim, num_sample], the sample's features
    const float* norms = nullptr;           ///< [num_sample] squared
    const std::int64_t* numbers = nullptr;  ///< [num_sample] in the pool: no row is near to itself
    std::int64_t num_sample = 0;
    std::int32_t* found = nullptr;  ///< [count, sample_search_kept] places in the sample, or -1
};

/// What the blocks of a search are made of.
struct SampleSearch {
    using Shape = ProductShape<4>;

    struct Shared : Shape::Shared {
        float values[Shape::rows][Shape::columns + 1];
    };
    /// What a thread keeps: of a product, and for the first 128 threads the nearest to a row, the
    /// nearest first.
    struct Thread : Shape::Thread {
        float value[sample_search_kept];
        std::int32_t place[sample_search_kept];
        int num_kept;
    };
};

namespace sample_search_detail {

/// Keeps a row of the sample if it is nearer than the farthest kept; of equal ones the first stays.
SLUICE_LANE void offer(SampleSearch::Thread& own, float value, std::int32_t place) {
    const bool is_full = own.num_kept == sample_search_kept;
    if (!(value < (is_full ? own.value[sample_search_kept - 1] : infinity))) return;
    int at = is_full ? sample_search_kept - 1 : own.num_kept++;
    for (; at > 0 && value < own.value[at - 1]; --at) {
        own.value[at] = own.value[at - 1];
        own.place[at] = own.place[at - 1];
    }
    own.value[at] = value;
    own.place[at] = place;
}

}  // namespace sample_search_detail

/// Searches for rows block_index * 128, ... of the task: those of the sample with the least
/// |y|^2 - 2 x y. `Block` is a block of Shape::threads threads that keep a SampleSearch::Thread.
template <class Block>
SLUICE_LANE void sample_search_block(Block& block, SampleSearch::Shared& shared,
                                     const SampleSearchTask& task, std::int64_t block_index) {
    using Shape = SampleSearch::Shape;
    using namespace product_detail;
    const Product product{task.rows, task.count,
                          task.dim,  task.transposed,
                          task.dim,  task.num_sample,
                          nullptr,   Activation::identity,
                          nullptr,   0};
    const std::int64_t first_row = block_index * Shape::rows;
    block.each([&](int, SampleSearch::Thread& own) { own.num_kept = 0; });
    for (std::int64_t first = 0; first < task.num_sample; first += Shape::columns) {
        multiply_tile<Shape>(block, shared, product, {first_row, first});
        block.each([&](int thread, SampleSearch::Thread& own) {
            SLUICE_UNROLL
            for (int i = 0; i < Shape::rows_per_thread; ++i) {
                SLUICE_UNROLL
                for (int j = 0; j < Shape::columns / Shape::side; ++j) {
                    const int column = place<Shape::columns_together>(thread % Shape::side, j);
                    if (first + column < task.num_sample)
                        shared.values[place<Shape::pack>(thread / Shape::side, i)][column] =
                            task.norms[first + column] - 2.0F * own.sums[i][j];
                }
            }
        });
        block.each([&](int thread, SampleSearch::Thread& own) {
            const std::int64_t row = first_row + thread;
            if (thread >= Shape::rows || row >= task.count) return;
            const std::int64_t left = task.num_sample - first;
            const int width = left < Shape::columns ? static_cast<int>(left) : Shape::columns;
            for (int column = 0; column < width; ++column)
                if (task.numbers[first + column] != task.first + row)
                    sample_search_detail::offer(own, shared.values[thread][column],
                                                static_cast<std::int32_t>(first + column));
        });
    }
    block.each([&](int thread, SampleSearch::Thread& own) {
        const std::int64_t row = first_row + thread;
        if (thread >= Shape::rows || row >= task.count) return;
        for (int i = 0; i < sample_search_kept; ++i)
            task.found[row * sample_search_kept + i] = i < own.num_kept ? own.place[i] : -1;
    });
}

}  // namespace sluice::kernels
