#pragma once

#include "h5/raw_file.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::h5 {

/// Where one chunk lies.
struct ChunkPlace {
    std::int64_t offset = -1;           ///< absolute file address, -1 if never written
    std::int64_t stored_bytes = 0;      ///< size in the file, after filters
    std::uint32_t skipped_filters = 0;  ///< bit i set = filter i was not applied
};

/// A chunked dataset cut along its first dimension only.
struct ChunkGrid {
    std::int64_t num_chunks = 0;
    std::int64_t chunk_rows = 0;
    int rank = 0;                  ///< dimensions of the dataset
    std::int64_t chunk_bytes = 0;  ///< of a whole chunk before filters
};

/// All chunks of a dataset in row order, read straight from its version 1 B-tree or its fixed array
/// in one walk: the library of Debian 12 searches anew for each chunk, which is quadratic in their
/// number. `header_address` is that of the dataset's object header, relative to the base. Nothing
/// if the dataset has another kind of index. Throws Error(bad_data) for a damaged index.
/// \source HDF5 File Format Specification 3.0, sections III.A.1 (B-trees) and VII.B (fixed array).
std::optional<std::vector<ChunkPlace>> read_chunk_table(const RawFile& file,
                                                        std::uint64_t header_address,
                                                        const ChunkGrid& grid);

}  // namespace sluice::h5
