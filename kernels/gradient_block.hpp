#pragma once

#include "kernels/wide_tile.hpp"

#include <cstdint>

/// Squared distances of rank-one gradients q x to the nearest pick as a block of threads computes
/// them: 64 rows against all picks. Neither gradients nor distances are ever written.
namespace sluice::kernels {

/// Vectors q and x and the squared lengths of their gradients.
struct GradientVectors {
    WideVectors<float> errors;
    WideVectors<float> features;
    const double* norms = nullptr;
};

struct GradientTask {
    GradientVectors rows;
    GradientVectors picks;
    double* spreads = nullptr;  ///< [rows] lowered
};

struct GradientShared : WideShared {
    double least[wide_tile][wide_side + 1];
};
struct GradientThread : WideThread {
    double errors[wide_own][wide_own];  // products of the q
    double least[wide_own];
};

namespace gradient_detail {

/// Ends the chains: the least of each row's distances so far.
SLUICE_LANE void keep_least(const GradientTask& task, std::int64_t first_row, std::int64_t first,
                            int thread, GradientThread& own) {
    for (int i = 0; i < wide_own; ++i) {
        const std::int64_t row = first_row + wide_place(thread / wide_side, i);
        if (row >= task.rows.errors.count) continue;
        for (int j = 0; j < wide_own; ++j) {
            const std::int64_t pick = first + wide_place(thread % wide_side, j);
            if (pick >= task.picks.errors.count) continue;
            const double cross = own.errors[i][j] * own.sums[i][j];
            const double sum = task.rows.norms[row] + task.picks.norms[pick];
            const double squared = sum - 2.0 * cross;
            const double spread = squared > 0.0 ? squared : 0.0;
            if (spread < own.least[i]) own.least[i] = spread;
        }
    }
}

}  // namespace gradient_detail

/// Lowers the spreads of rows block_index * wide_tile, ... of the task. `Block` is a block of
/// wide_threads threads that keep a GradientThread each.
template <class Block>
SLUICE_LANE void gradient_block(Block& block, GradientShared& shared, const GradientTask& task,
                                std::int64_t block_index) {
    const std::int64_t first_row = block_index * wide_tile;
    block.each([&](int, GradientThread& own) {
        for (double& least : own.least)
            least = static_cast<double>(infinity);
    });
    for (std::int64_t first = 0; first < task.picks.errors.count; first += wide_tile) {
        wide_products<ExactProducts>(block, shared, task.rows.errors, first_row, task.picks.errors,
                                     first);
        block.each([&](int, GradientThread& own) {
            for (int i = 0; i < wide_own; ++i)
                for (int j = 0; j < wide_own; ++j)
                    own.errors[i][j] = own.sums[i][j];
        });
        wide_products<ExactProducts>(block, shared, task.rows.features, first_row,
                                     task.picks.features, first);
        block.each([&](int thread, GradientThread& own) {
            gradient_detail::keep_least(task, first_row, first, thread, own);
        });
    }
    block.each([&](int thread, GradientThread& own) {
        for (int i = 0; i < wide_own; ++i)
            shared.least[wide_place(thread / wide_side, i)][thread % wide_side] = own.least[i];
    });
    block.each([&](int thread, GradientThread&) {
        const std::int64_t row = first_row + thread;
        if (thread >= wide_tile || row >= task.rows.errors.count) return;
        double least = task.spreads[row];
        for (int i = 0; i < wide_side; ++i)
            if (shared.least[thread][i] < least) least = shared.least[thread][i];
        task.spreads[row] = least;
    });
}

}  // namespace sluice::kernels
