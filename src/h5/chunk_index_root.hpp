#pragma once

#include "h5/raw_file.hpp"

#include <cstdint>
#include <optional>

namespace sluice::h5 {

/// Where the index of a dataset's chunks starts.
struct ChunkIndexRoot {
    enum class Kind { tree, fixed_array } kind = Kind::tree;
    std::uint64_t address = 0;  ///< relative to the base
};

/// From the data layout message of the object header at `header_address`; nothing if the dataset
/// is not chunked or has an index of another kind.
/// \source HDF5 File Format Specification 3.0, section IV.A.2.i.
std::optional<ChunkIndexRoot> find_chunk_index(const RawFile& file, std::uint64_t header_address);

}  // namespace sluice::h5
