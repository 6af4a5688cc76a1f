#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::pool {

/// A chunk as HDF5 stores it behind the filters shuffle, deflate (zlib format) and fletcher32, in
/// this order. `element_bytes` is the size that shuffle works with, `level` 1..9.
/// Throws Error(internal) when there is no memory for the compressor.
std::vector<std::byte> filter_chunk(std::span<const std::byte> plain, std::int64_t element_bytes,
                                    int level);

}  // namespace sluice::pool
