#pragma once

#include "kernels/cuda/thread_block.hpp"
#include "kernels/score_staging.hpp"
#include "kernels/simd/lane.hpp"

#include <cstdint>

/// relax_nearest_of as a block of threads computes it: 128 rows against all centres, 128 of them at
/// a time. Distances are never written; each is one FMA chain over k ascending, as on the CPU.
namespace sluice::kernels {

inline constexpr int relax_threads = 256;
inline constexpr int relax_tile = 128;  ///< rows of a block, and centres at a time
inline constexpr int relax_depth = 8;   ///< elements of them in shared memory at a time

namespace relax_detail {
inline constexpr int side = 16;     // threads along either side of a tile
inline constexpr int per_side = 8;  // rows, and centres, of a thread
inline constexpr int pack = FloatPack::size;
inline constexpr int stride = relax_tile + pack;  // keeps packs aligned and banks apart
inline constexpr int packs = relax_depth / pack;  // of a vector in a tile
static_assert(relax_tile == side * per_side && relax_threads == side * side);
static_assert(relax_tile * packs == relax_threads);  // each thread loads one pack of each tile
}  // namespace relax_detail

/// What the kernel works on, all of it in the memory of whoever runs it.
struct RelaxTask {
    const float* rows = nullptr;           ///< [any, dim]
    const std::int64_t* picked = nullptr;  ///< [count] which of them; null: the first `count`
    std::int64_t count = 0;
    std::int64_t dim = 0;
    const float* centers = nullptr;  ///< [num_centers, dim]
    std::int64_t num_centers = 0;
    float* distance = nullptr;       ///< [count] relaxed
    std::int32_t* center = nullptr;  ///< [count] set to the centre's index where a distance fell
};

struct RelaxShared {
    alignas(16) float rows[relax_depth][relax_detail::stride];
    alignas(16) float centers[relax_depth][relax_detail::stride];
    float least[relax_tile][relax_detail::side + 1];
    std::int32_t nearest[relax_tile][relax_detail::side + 1];
};

/// What a thread keeps.
struct RelaxThread {
    float sums[relax_detail::per_side][relax_detail::per_side];
    float least[relax_detail::per_side];
    std::int32_t nearest[relax_detail::per_side];
};

namespace relax_detail {

/// Place in the tile of vector i of a thread's eight: four side by side, twice.
SLUICE_LANE int place(int thread_of_side, int i) {
    return i / pack * (relax_tile / 2) + thread_of_side * pack + i % pack;
}

/// Elements k, k + 1, ... of a vector, zero past its end: zero minus zero leaves every sum as it
/// is.
SLUICE_LANE FloatPack load_pack(const float* vector, std::int64_t k, std::int64_t dim) {
    if (dim % pack == 0 && k < dim) return *reinterpret_cast<const FloatPack*>(vector + k);
    FloatPack loaded;
    for (int i = 0; i < pack; ++i)
        loaded.at[i] = k + i < dim ? vector[k + i] : 0.0F;
    return loaded;
}

/// Copies a pack of vector `thread / packs` into a tile, transposed; `vector` is null past the
/// last.
SLUICE_LANE void load_tile(float (*tile)[stride], int thread, const float* vector, std::int64_t k0,
                           std::int64_t dim) {
    const int offset = thread % packs * pack;
    FloatPack loaded{};
    if (vector != nullptr) loaded = load_pack(vector, k0 + offset, dim);
    for (int i = 0; i < pack; ++i)
        tile[offset + i][thread / packs] = loaded.at[i];
}

/// The eight values of a thread at depth k.
SLUICE_LANE void read_tile(const float (&line)[stride], int thread_of_side,
                           float (&values)[per_side]) {
    for (int half = 0; half < per_side / pack; ++half) {
        const FloatPack read =
            *reinterpret_cast<const FloatPack*>(line + place(thread_of_side, half * pack));
        for (int i = 0; i < pack; ++i)
            values[half * pack + i] = read.at[i];
    }
}

/// Goes on with all chains of a thread by the elements in shared memory.
SLUICE_LANE void add_terms(const RelaxShared& shared, int thread, RelaxThread& own) {
    SLUICE_UNROLL
    for (int k = 0; k < relax_depth; ++k) {
        float x[per_side];
        float y[per_side];
        read_tile(shared.rows[k], thread / side, x);
        read_tile(shared.centers[k], thread % side, y);
        SLUICE_UNROLL
        for (int i = 0; i < per_side; ++i) {
            SLUICE_UNROLL
            for (int j = 0; j < per_side; ++j) {
                const float d = x[i] - y[j];
                own.sums[i][j] = multiply_add(d, d, own.sums[i][j]);
            }
        }
    }
}

/// Ends the chains: the least of each row's distances so far, of equals the first centre.
SLUICE_LANE void keep_least(std::int64_t first, std::int64_t num_centers, int thread,
                            RelaxThread& own) {
    SLUICE_UNROLL
    for (int j = 0; j < per_side; ++j) {
        const std::int64_t center = first + place(thread % side, j);
        const bool is_there = center < num_centers;
        SLUICE_UNROLL
        for (int i = 0; i < per_side; ++i) {
            if (is_there && own.sums[i][j] < own.least[i]) {
                own.least[i] = own.sums[i][j];
                own.nearest[i] = static_cast<std::int32_t>(center);
            }
            own.sums[i][j] = 0.0F;
        }
    }
}

/// The least of what sixteen threads found for the row at this place of the tile.
SLUICE_LANE void put_least(const RelaxTask& task, std::int64_t row, int place_of_row,
                           const RelaxShared& shared) {
    float least = task.distance[row];
    std::int32_t nearest = -1;
    for (int thread = 0; thread < side; ++thread) {
        const float found = shared.least[place_of_row][thread];
        const std::int32_t center = shared.nearest[place_of_row][thread];
        if (found < least || (found == least && nearest >= 0 && center < nearest)) {
            least = found;
            nearest = center;
        }
    }
    if (nearest < 0) return;
    task.distance[row] = least;
    task.center[row] = nearest;
}

}  // namespace relax_detail

/// Relaxes rows block_index * relax_tile, ... of the task. `Block` is a block of relax_threads
/// threads that keep a RelaxThread each.
template <class Block>
SLUICE_LANE void relax_block(Block& block, RelaxShared& shared, const RelaxTask& task,
                             std::int64_t block_index) {
    using namespace relax_detail;
    const std::int64_t first_row = block_index * relax_tile;
    block.each([&](int, RelaxThread& own) {
        for (int i = 0; i < per_side; ++i) {
            own.least[i] = infinity;
            own.nearest[i] = -1;
            for (int j = 0; j < per_side; ++j)
                own.sums[i][j] = 0.0F;
        }
    });
    for (std::int64_t first = 0; first < task.num_centers; first += relax_tile) {
        for (std::int64_t k0 = 0; k0 < task.dim; k0 += relax_depth) {
            block.each([&](int thread, RelaxThread&) {
                const std::int64_t row = first_row + thread / packs;
                const std::int64_t center = first + thread / packs;
                const float* vector = nullptr;
                if (row < task.count)
                    vector = task.rows + (task.picked ? task.picked[row] : row) * task.dim;
                load_tile(shared.rows, thread, vector, k0, task.dim);
                vector = center < task.num_centers ? task.centers + center * task.dim : nullptr;
                load_tile(shared.centers, thread, vector, k0, task.dim);
            });
            block.each([&](int thread, RelaxThread& own) { add_terms(shared, thread, own); });
        }
        block.each([&](int thread, RelaxThread& own) {
            keep_least(first, task.num_centers, thread, own);
        });
    }
    block.each([&](int thread, RelaxThread& own) {
        for (int i = 0; i < per_side; ++i) {
            shared.least[place(thread / side, i)][thread % side] = own.least[i];
            shared.nearest[place(thread / side, i)][thread % side] = own.nearest[i];
        }
    });
    block.each([&](int thread, RelaxThread&) {
        if (thread < relax_tile && first_row + thread < task.count)
            put_least(task, first_row + thread, thread, shared);
    });
}

}  // namespace sluice::kernels
