#pragma once

#include "pool/dataset.hpp"
#include "pool/row_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::pool {

/// HDF5's Fletcher-32 checksum: over big-endian 16-bit words, sums modulo 65,535.
/// \source HDF5 1.10 H5checksum.c (H5_checksum_fletcher32); J. Fletcher, "An Arithmetic Checksum
///         for Serial Transmissions", IEEE Trans. Comm. 30 (1982).
std::uint32_t fletcher32(std::span<const std::byte> bytes);

/// Undoes HDF5's shuffle: byte k of every element lies in the k-th run of the input. Bytes left
/// over behind the last whole element stay where they are. The spans are of equal size.
void unshuffle(std::span<const std::byte> shuffled, std::span<std::byte> plain,
               std::size_t element_bytes);

/// What one chunk looks like in the file.
struct ChunkCode {
    const std::vector<Filter>& filters;  ///< in the order they were applied
    std::uint32_t skipped_filters = 0;
    std::size_t element_bytes = 1;
    std::string where;  ///< start of an error message: `FILE: DATASET[ROW]`
};

/// Undoes the filters of a chunk: `stored` are its bytes in the file, `plain` has the size of the
/// whole chunk. Uses scratch.inflated and scratch.decompressor. Throws Error(bad_data) for a wrong
/// checksum, damaged compressed data, or sizes that do not match.
void decode_chunk(const ChunkCode& code, std::span<const std::byte> stored,
                  std::span<std::byte> plain, RowReader::Scratch& scratch);

}  // namespace sluice::pool
