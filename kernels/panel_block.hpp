#pragma once

#include "core/types.hpp"
#include "kernels/cuda/thread_block.hpp"
#include "kernels/device_panel.hpp"
#include "kernels/simd/lane.hpp"

#include <cstdint>

/// The greedy of k-center among the rows of a panel as a grid of blocks computes it. Each block
/// holds some rows in shared memory; a pick is one step of the grid: all blocks look up the best
/// row of all, relax their own rows by it, and offer their best. A distance is one FMA chain over k
/// ascending of one thread, as on the CPU.
namespace sluice::kernels {

inline constexpr int panel_threads = 128;
inline constexpr std::int64_t panel_chunk = 64;  ///< elements between two looks at the limit

/// What the kernel works on, all of it in the memory of whoever runs it.
struct PanelTask {
    const float* rows = nullptr;     ///< [count, dim]
    const RowId* numbers = nullptr;  ///< [count] ascending
    std::int64_t count = 0;
    std::int64_t dim = 0;
    PanelShape shape;
    Candidate outside;
    std::int64_t most_picks = 0;        ///< at least 1
    float* distance = nullptr;          ///< [count] relaxed
    std::int32_t* center = nullptr;     ///< [count] set to the pick's number where one fell
    std::uint64_t* best = nullptr;      ///< [2, blocks] keys of the blocks' best rows, in turns
    std::uint64_t* picks = nullptr;     ///< [most_picks] keys
    std::int64_t* num_picks = nullptr;  ///< of them that were made
};

/// A row and its distance in the order of better(): the larger key comes first, 0 is no row. Of
/// numbers without a sign the bits are in the order of the values.
SLUICE_LANE std::uint64_t panel_key(float distance, std::int64_t place) {
    return std::uint64_t{bits_of(distance)} << 32 | ~static_cast<std::uint32_t>(place);
}
SLUICE_LANE std::int64_t place_of_key(std::uint64_t key) {
    return ~static_cast<std::uint32_t>(key);
}
SLUICE_LANE float distance_of_key(std::uint64_t key) {
    return float_of_bits(static_cast<std::uint32_t>(key >> 32));
}

/// What the threads of a block share.
struct PanelShared {
    std::uint64_t* keys = nullptr;   // [panel_threads + 1], the best of all at the end
    float* rows = nullptr;           // [resident, rows_per_block]
    float* pick = nullptr;           // [dim]
    float* nearest = nullptr;        // [rows_per_block]
    std::int32_t* center = nullptr;  // [rows_per_block]
    std::int32_t* taken = nullptr;   // [rows_per_block]

    /// Bytes of it; a multiple of 8.
    SLUICE_HD static constexpr std::int64_t bytes(const PanelShape& shape, std::int64_t dim) {
        const std::int64_t words = (shape.resident + 3) * shape.rows_per_block + dim;
        return (panel_threads + 1) * 8 + (words + 1) / 2 * 8;
    }

    /// Lays it out in memory, of 8-byte alignment.
    SLUICE_LANE static PanelShared in(void* memory, const PanelShape& shape, std::int64_t dim) {
        PanelShared shared;
        shared.keys = static_cast<std::uint64_t*>(memory);
        shared.rows = reinterpret_cast<float*>(shared.keys + panel_threads + 1);
        shared.pick = shared.rows + shape.resident * shape.rows_per_block;
        shared.nearest = shared.pick + dim;
        shared.center = reinterpret_cast<std::int32_t*>(shared.nearest + shape.rows_per_block);
        shared.taken = shared.center + shape.rows_per_block;
        return shared;
    }
};

/// A thread keeps nothing: all is in shared memory.
struct PanelThread {};

namespace panel_detail {

/// The rows of a block.
SLUICE_LANE RowRange rows_of_block(const PanelTask& task, int index) {
    const std::int64_t begin = index * task.shape.rows_per_block;
    const std::int64_t end = begin + task.shape.rows_per_block;
    return {begin, end < task.count ? end : task.count};
}

/// The largest of the keys that the threads give, for all of them.
template <class Block, class KeyOf>
SLUICE_LANE std::uint64_t largest_key(Block& block, const PanelShared& shared,
                                      const KeyOf& key_of) {
    constexpr int group = 16;
    static_assert(panel_threads % group == 0);
    const auto largest_of = [&](int begin, int end, int step) {
        std::uint64_t largest = 0;
        for (int i = begin; i < end; i += step)
            if (shared.keys[i] > largest) largest = shared.keys[i];
        return largest;
    };
    block.each([&](int thread, PanelThread&) { shared.keys[thread] = key_of(thread); });
    block.each([&](int thread, PanelThread&) {
        if (thread % group == 0) shared.keys[thread] = largest_of(thread, thread + group, 1);
    });
    block.each([&](int thread, PanelThread&) {
        if (thread == 0) shared.keys[panel_threads] = largest_of(0, panel_threads, group);
    });
    return shared.keys[panel_threads];
}

SLUICE_LANE std::uint64_t key_of_row(const PanelShared& shared, std::int64_t first,
                                     std::int64_t row) {
    return shared.taken[row] != 0 ? 0 : panel_key(shared.nearest[row], first + row);
}

/// Copies a block's rows to shared memory and offers the best of them.
template <class Block>
SLUICE_LANE bool begin_panel(Block& block, const PanelShared& shared, const PanelTask& task,
                             int index) {
    const RowRange rows = rows_of_block(task, index);
    const std::int64_t resident = task.shape.resident;
    block.each([&](int thread, PanelThread&) {
        for (std::int64_t i = thread; i < rows.size() * resident; i += panel_threads) {
            const std::int64_t row = i / resident;
            const std::int64_t k = i - row * resident;
            shared.rows[k * task.shape.rows_per_block + row] =
                task.rows[(rows.begin + row) * task.dim + k];
        }
        for (std::int64_t row = thread; row < rows.size(); row += panel_threads) {
            shared.nearest[row] = task.distance[rows.begin + row];
            shared.center[row] = task.center[rows.begin + row];
            shared.taken[row] = 0;
        }
    });
    const std::uint64_t best = largest_key(block, shared, [&](int thread) {
        std::uint64_t largest = 0;
        for (std::int64_t row = thread; row < rows.size(); row += panel_threads) {
            const std::uint64_t key = key_of_row(shared, rows.begin, row);
            if (key > largest) largest = key;
        }
        return largest;
    });
    block.each([&](int thread, PanelThread&) {
        if (thread == 0) task.best[index] = best;
    });
    return true;
}

/// Goes on with a chain by some elements of a row, `stride` apart.
SLUICE_LANE float add_terms(const float* row, std::int64_t stride, const float* pick,
                            std::int64_t count, float sum) {
    if (count == panel_chunk) {
        SLUICE_UNROLL
        for (int k = 0; k < static_cast<int>(panel_chunk); ++k) {
            const float d = row[k * stride] - pick[k];
            sum = multiply_add(d, d, sum);
        }
        return sum;
    }
    for (std::int64_t k = 0; k < count; ++k) {
        const float d = row[k * stride] - pick[k];
        sum = multiply_add(d, d, sum);
    }
    return sum;
}

/// Relaxes one row of a block by the pick in shared memory. Partial sums never fall: what is not
/// below the row's distance need not be summed to the end.
SLUICE_LANE void relax_row(const PanelShared& shared, const PanelTask& task, std::int64_t first,
                           std::int64_t row, std::int64_t pick) {
    const std::int64_t stride = task.shape.rows_per_block;
    const float* const far = task.rows + (first + row) * task.dim;
    const float limit = shared.nearest[row];
    float sum = 0.0F;
    for (std::int64_t k = 0; k < task.dim; k += panel_chunk) {
        const std::int64_t count = k + panel_chunk < task.dim ? panel_chunk : task.dim - k;
        sum = k + count <= task.shape.resident
                  ? add_terms(shared.rows + k * stride + row, stride, shared.pick + k, count, sum)
                  : add_terms(far + k, 1, shared.pick + k, count, sum);
        if (!(sum < limit)) return;
    }
    shared.nearest[row] = sum;
    shared.center[row] = static_cast<std::int32_t>(pick);
}

SLUICE_LANE bool may_pick(const PanelTask& task, std::uint64_t key) {
    return key != 0 &&
           better({distance_of_key(key), task.numbers[place_of_key(key)]}, task.outside);
}

/// Makes the best row of all pick number `pick`; returns whether there may be another one.
template <class Block>
SLUICE_LANE bool make_pick(Block& block, const PanelShared& shared, const PanelTask& task,
                           int index, std::int64_t pick) {
    const std::int64_t num_blocks = task.shape.num_blocks;
    const std::uint64_t* const offered = task.best + pick % 2 * num_blocks;
    const std::uint64_t winner = largest_key(block, shared, [&](int thread) {
        std::uint64_t largest = 0;
        for (std::int64_t i = thread; i < num_blocks; i += panel_threads)
            if (offered[i] > largest) largest = offered[i];
        return largest;
    });
    if (!may_pick(task, winner)) return false;
    const RowRange rows = rows_of_block(task, index);
    const std::int64_t place = place_of_key(winner);
    block.each([&](int thread, PanelThread&) {
        for (std::int64_t k = thread; k < task.dim; k += panel_threads)
            shared.pick[k] = task.rows[place * task.dim + k];
        if (thread != 0) return;
        if (place >= rows.begin && place < rows.end) shared.taken[place - rows.begin] = 1;
        if (index == 0) {
            task.picks[pick] = winner;
            *task.num_picks = pick + 1;
        }
    });
    const std::uint64_t best = largest_key(block, shared, [&](int thread) {
        std::uint64_t largest = 0;
        for (std::int64_t row = thread; row < rows.size(); row += panel_threads) {
            relax_row(shared, task, rows.begin, row, pick);
            const std::uint64_t key = key_of_row(shared, rows.begin, row);
            if (key > largest) largest = key;
        }
        return largest;
    });
    block.each([&](int thread, PanelThread&) {
        if (thread == 0) task.best[(pick + 1) % 2 * num_blocks + index] = best;
    });
    return pick + 1 < task.most_picks;
}

template <class Block>
SLUICE_LANE bool end_panel(Block& block, const PanelShared& shared, const PanelTask& task,
                           int index) {
    const RowRange rows = rows_of_block(task, index);
    block.each([&](int thread, PanelThread&) {
        for (std::int64_t row = thread; row < rows.size(); row += panel_threads) {
            task.distance[rows.begin + row] = shared.nearest[row];
            task.center[rows.begin + row] = shared.center[row];
        }
    });
    return false;
}

}  // namespace panel_detail

/// Runs the greedy. `Grid` is a grid of task.shape.num_blocks blocks of panel_threads threads that
/// keep a PanelThread, each block with a PanelShared; *task.num_picks is 0 to begin with.
template <class Grid>
SLUICE_LANE void panel_greedy_grid(Grid& grid, const PanelTask& task) {
    using Block = typename Grid::Block;
    using namespace panel_detail;
    grid.each_block([&](Block& block, const PanelShared& shared, int index) {
        return begin_panel(block, shared, task, index);
    });
    bool goes_on = true;
    for (std::int64_t pick = 0; goes_on; ++pick)
        goes_on = grid.each_block([&](Block& block, const PanelShared& shared, int index) {
            return make_pick(block, shared, task, index, pick);
        });
    grid.each_block([&](Block& block, const PanelShared& shared, int index) {
        return end_panel(block, shared, task, index);
    });
}

}  // namespace sluice::kernels
