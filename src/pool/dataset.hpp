#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sluice::pool {

/// Element types a pool may hold. Other HDF5 types are refused when the file is described.
enum class ElementType {
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
    text,  ///< fixed-length or variable-length strings (ids only)
};

/// Bytes of one stored element; 0 for text.
std::int64_t element_bytes(ElementType type);
/// "float32", "int64", ...
std::string element_name(ElementType type);

/// Filters of a chunked dataset that we undo ourselves, in the order they were applied.
enum class Filter { shuffle, deflate, fletcher32 };

/// Where a chunk lies in its file.
struct Chunk {
    std::int64_t offset = 0;            ///< file address in bytes, or -1 if it was never written
    std::int64_t stored_bytes = 0;      ///< size in the file, after filters
    std::uint32_t skipped_filters = 0;  ///< HDF5's filter mask: bit i set = filter i not applied
};

/// How a file holds a dataset's rows.
enum class Layout {
    contiguous,  ///< one run of bytes at `offset`
    chunked,     ///< whole-row chunks of `chunk_rows` rows, in `chunks`
    library,     ///< anything else: only H5Dread reads it (`why_library` says why)
};

/// One file's share of a dataset.
struct FilePart {
    std::string path;
    RowRange rows;  ///< global rows this file holds
    Layout layout = Layout::library;
    std::int64_t offset = 0;
    std::int64_t chunk_rows = 0;
    std::vector<Filter> filters;
    std::vector<Chunk> chunks;  ///< chunk i holds the file's rows [i*chunk_rows, (i+1)*chunk_rows)
    std::string why_library;
    std::int64_t file_bytes = 0;
    std::int64_t modified_ns = 0;  ///< modification time when described
};

/// A dataset of the pool, over all files: [num_rows, row_shape...]. Plain metadata, the same on
/// all ranks; pool::RowReader reads the values.
struct Dataset {
    std::string role;  ///< "features", "probabilities", ..., or "columns/NAME"
    std::string path;  ///< name in the files, e.g. "/features"
    ElementType type = ElementType::float32;
    bool big_endian = false;
    std::int64_t text_bytes = 0;  ///< fixed text length, 0 if variable
    std::vector<std::int64_t> row_shape;
    RowId num_rows = 0;
    std::vector<FilePart> parts;  ///< in row order, covering [0, num_rows)
    std::map<std::string, std::vector<std::string>> attributes;  ///< "kind", "names", "units",
                                                                 ///< "ranges"

    std::int64_t row_elements() const;
    std::int64_t row_bytes() const;  ///< stored bytes of a row
    bool is_logit() const;           ///< attribute kind == "logit"
};

/// `FILE: DATASET[LOCAL_ROW]` of a global row, the start of an error message.
std::string location_text(const Dataset& dataset, RowId row);

}  // namespace sluice::pool
