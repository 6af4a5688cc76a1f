#pragma once

#include "kernels/cuda/thread_block.hpp"
#include "kernels/fast_divide.hpp"

#include <cstdint>

namespace sluice::kernels {

/// Four floats that move as one where they lie on a multiple of 16 bytes.
struct alignas(16) FloatPack {
    static constexpr int size = 4;
    float at[size];
};

/// Rows that lie side by side in memory, to be copied into a tile element by element across rows.
struct StagedRows {
    const float* values = nullptr;  ///< [num_rows, elements], on a multiple of 16 bytes
    std::uint32_t count = 0;        ///< num_rows * elements, below 2^16
    std::uint32_t elements = 1;     ///< of a row
    std::uint32_t stride = 1;       ///< of the tile: floats between a row's consecutive elements
};

/// The share of `thread` of `num_threads` in the copy: element e of row r goes to
/// tile[e * stride + r].
SLUICE_LANE void stage_rows(const StagedRows& rows, std::uint32_t thread, std::uint32_t num_threads,
                            float* tile) {
    const FastDivide by_elements(rows.elements);
    const std::uint32_t packed = rows.count / FloatPack::size * FloatPack::size;
    for (std::uint32_t i = thread * FloatPack::size; i < packed;
         i += num_threads * FloatPack::size) {
        const FloatPack pack = *reinterpret_cast<const FloatPack*>(rows.values + i);
        std::uint32_t row = by_elements.quotient(i);
        std::uint32_t element = i - row * rows.elements;
        SLUICE_UNROLL
        for (int j = 0; j < FloatPack::size; ++j) {
            tile[element * rows.stride + row] = pack.at[j];
            if (++element == rows.elements) {
                element = 0;
                ++row;
            }
        }
    }
    for (std::uint32_t i = packed + thread; i < rows.count; i += num_threads)
        tile[by_elements.remainder(i) * rows.stride + by_elements.quotient(i)] = rows.values[i];
}

}  // namespace sluice::kernels
