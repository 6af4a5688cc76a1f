#pragma once

#include "kernels/cuda/thread_block.hpp"
#include "kernels/fast_divide.hpp"
#include "kernels/half.hpp"

#include <cstdint>

namespace sluice::kernels {

/// Rows that lie side by side in memory, to be copied into a tile element by element across rows.
/// `Stored` is float or Half.
template <class Stored>
struct StagedRows {
    const Stored* values = nullptr;  ///< [num_rows, elements], on a multiple of 16 bytes
    std::uint32_t count = 0;         ///< num_rows * elements, below 2^16
    std::uint32_t elements = 1;      ///< of a row
    std::uint32_t stride = 1;        ///< of the tile: floats between a row's consecutive elements
};

/// The share of `thread` of `num_threads` in the copy: element e of row r goes to
/// tile[e * stride + r], as float32.
template <class Stored>
SLUICE_LANE void stage_rows(const StagedRows<Stored>& rows, std::uint32_t thread,
                            std::uint32_t num_threads, float* tile) {
    constexpr std::uint32_t size = Pack<Stored>::size;
    const FastDivide by_elements(rows.elements);
    const std::uint32_t packed = rows.count / size * size;
    for (std::uint32_t i = thread * size; i < packed; i += num_threads * size) {
        const auto pack = *reinterpret_cast<const Pack<Stored>*>(rows.values + i);
        std::uint32_t row = by_elements.quotient(i);
        std::uint32_t element = i - row * rows.elements;
        SLUICE_UNROLL
        for (int j = 0; j < Pack<Stored>::size; ++j) {
            tile[element * rows.stride + row] = widened(pack.at[j]);
            if (++element == rows.elements) {
                element = 0;
                ++row;
            }
        }
    }
    for (std::uint32_t i = packed + thread; i < rows.count; i += num_threads)
        tile[by_elements.remainder(i) * rows.stride + by_elements.quotient(i)] =
            widened(rows.values[i]);
}

/// The share of `thread` of `num_threads` in copying `count` values that lie side by side to
/// `floats`.
template <class Stored>
SLUICE_LANE void stage_values(const Stored* values, std::int64_t count, std::int64_t thread,
                              std::int64_t num_threads, float* floats) {
    constexpr std::int64_t size = Pack<Stored>::size;
    // Up to a multiple of 16 bytes, from there on in packs, and what is left.
    const auto lead = static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(values) /
                                                sizeof(Stored) % static_cast<std::uintptr_t>(size));
    std::int64_t first = lead == 0 ? 0 : size - lead;
    if (first > count) first = count;
    const std::int64_t end = first + (count - first) / size * size;
    for (std::int64_t i = first + thread * size; i < end; i += num_threads * size) {
        const auto pack = *reinterpret_cast<const Pack<Stored>*>(values + i);
        SLUICE_UNROLL
        for (int j = 0; j < Pack<Stored>::size; ++j)
            floats[i + j] = widened(pack.at[j]);
    }
    for (std::int64_t i = thread; i < first; i += num_threads)
        floats[i] = widened(values[i]);
    for (std::int64_t i = end + thread; i < count; i += num_threads)
        floats[i] = widened(values[i]);
}

}  // namespace sluice::kernels
