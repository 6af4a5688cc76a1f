#include "pool/layout.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace sluice::pool {
namespace {

using Storage = h5::DatasetInfo::Storage;

constexpr int deflate_id = 1;
constexpr int shuffle_id = 2;
constexpr int fletcher32_id = 3;
constexpr std::int64_t max_library_lookups = 4096;  // each takes time in proportion to them all
constexpr std::int64_t max_chunks = std::int64_t{1} << 25;
constexpr std::int64_t max_filtered_chunk_bytes = std::int64_t{1} << 30;
constexpr std::int64_t num_samples = 16;

// What find_layout passes around.
struct Place {
    const h5::Inspector& inspector;
    const h5::RawFile& file;
    const h5::DatasetInfo& info;
    Dataset& dataset;
    FilePart& part;
    std::string where;
};

void use_library(const Place& place, const std::string& why) {
    place.part.layout = Layout::library;
    place.part.why_library = why;
}

void require_inside(const Place& place) {
    require(place.info.outside_target.empty(), ExitCode::bad_data,
            place.where + ": its values lie in another file (" +
                printable(place.info.outside_target) +
                "), which is never opened; copy the data into the pool (h5repack) first");
    require(place.info.missing_source.empty(), ExitCode::bad_data,
            place.where + ": a virtual dataset without its source (" +
                printable(place.info.missing_source) + "); copy or make the file again");
}

void set_contiguous(const Place& place) {
    const std::int64_t bytes = place.dataset.num_rows * place.dataset.row_bytes();
    require(place.info.offset >= 0, ExitCode::bad_data,
            place.where + ": no row was ever written (first missing row 0); make the file again");
    require(place.info.offset <= place.part.file_bytes &&
                bytes <= place.part.file_bytes - place.info.offset,
            ExitCode::bad_data,
            place.where + ": its values end behind the end of the file (byte " +
                count_text(place.info.offset + bytes) + " of " + count_text(place.part.file_bytes) +
                "); copy or make the file again");
    place.part.layout = Layout::contiguous;
    place.part.offset = place.info.offset;
}

// Why we cannot undo the filters ourselves, or nothing.
std::string set_filters(const Place& place) {
    int num_deflate = 0;
    for (const h5::FilterInfo& filter : place.info.filters) {
        require(filter.available, ExitCode::bad_data,
                place.where + ": needs the filter '" + printable(filter.name) + "' (" +
                    std::to_string(filter.id) +
                    "), which is not built in, and plug-ins are off; rewrite it with deflate "
                    "(h5repack -f GZIP=1)");
        if (filter.id == deflate_id) {
            place.part.filters.push_back(Filter::deflate);
            ++num_deflate;
        } else if (filter.id == fletcher32_id) {
            place.part.filters.push_back(Filter::fletcher32);
        } else if (filter.id == shuffle_id) {
            const auto element = static_cast<unsigned>(place.info.type.bytes);
            if (filter.parameters.empty() || filter.parameters[0] != element) {
                return "shuffle of another element size";
            }
            place.part.filters.push_back(Filter::shuffle);
        } else {
            return "filter " + printable(filter.name);
        }
    }
    return num_deflate > 1 ? "deflate applied twice" : "";
}

std::int64_t num_chunks(const Place& place) {
    return (place.dataset.num_rows + place.part.chunk_rows - 1) / place.part.chunk_rows;
}

void set_chunks(const Place& place, const std::vector<h5::ChunkPlace>& chunks) {
    place.part.chunks.clear();
    place.part.chunks.reserve(chunks.size());
    for (const h5::ChunkPlace& chunk : chunks) {
        place.part.chunks.push_back({chunk.offset, chunk.stored_bytes, chunk.skipped_filters});
    }
}

// Our own walk over the B-tree must find what the library finds.
void check_sample(const Place& place, const std::vector<h5::ChunkPlace>& chunks) {
    const auto count = static_cast<std::int64_t>(chunks.size());
    const std::int64_t base = place.file.superblock().base;
    for (std::int64_t i = 0; i < std::min(num_samples, count); ++i) {
        const std::int64_t index = i * (count - 1) / std::max<std::int64_t>(num_samples - 1, 1);
        const h5::ChunkPlace& ours = chunks[static_cast<std::size_t>(index)];
        const h5::ChunkPlace theirs =
            place.inspector.library_chunk(place.dataset.path, index * place.part.chunk_rows);
        // HDF5 1.10 leaves out the user block.
        const bool same_offset =
            ours.offset == theirs.offset || ours.offset == theirs.offset + base;
        require(same_offset && ours.stored_bytes == theirs.stored_bytes &&
                    ours.skipped_filters == theirs.skipped_filters,
                ExitCode::bad_data,
                place.where + ": the index of chunks is damaged (chunk " + std::to_string(index) +
                    "); copy or make the file again");
    }
}

// The chunk table, or why there is none.
std::string find_chunks(const Place& place) {
    const std::int64_t count = num_chunks(place);
    if (count > max_chunks) return "more than 33,554,432 chunks";
    const h5::ChunkGrid grid{count, place.part.chunk_rows, static_cast<int>(place.info.dims.size()),
                             place.part.chunk_rows * place.dataset.row_bytes()};
    if (const auto chunks = h5::read_chunk_table(place.file, place.info.header_address, grid)) {
        check_sample(place, *chunks);
        set_chunks(place, *chunks);
        return {};
    }
    if (count > max_library_lookups)
        return "an extensible chunk index of the newest format, with many chunks";
    if (place.file.superblock().base != 0) return "a chunk index behind a user block";
    std::vector<h5::ChunkPlace> chunks;
    for (std::int64_t i = 0; i < count; ++i) {
        chunks.push_back(
            place.inspector.library_chunk(place.dataset.path, i * place.part.chunk_rows));
    }
    set_chunks(place, chunks);
    return {};
}

void check_chunks(const Place& place) {
    const std::int64_t chunk_bytes = place.part.chunk_rows * place.dataset.row_bytes();
    std::int64_t num_missing = 0;
    std::int64_t first_missing = -1;
    for (std::size_t i = 0; i < place.part.chunks.size(); ++i) {
        const Chunk& chunk = place.part.chunks[i];
        const std::int64_t first_row = static_cast<std::int64_t>(i) * place.part.chunk_rows;
        if (chunk.offset < 0) {
            if (num_missing++ == 0) first_missing = first_row;
            continue;
        }
        const bool inside = chunk.offset <= place.part.file_bytes &&
                            chunk.stored_bytes <= place.part.file_bytes - chunk.offset;
        const bool right_size = !place.part.filters.empty() || chunk.stored_bytes == chunk_bytes;
        require(inside && right_size && chunk.stored_bytes > 0, ExitCode::bad_data,
                place.where + "[" + std::to_string(first_row) +
                    "]: its chunk does not lie inside the file (" +
                    std::to_string(chunk.stored_bytes) + " bytes at " +
                    std::to_string(chunk.offset) + "); copy or make the file again");
    }
    require(num_missing == 0, ExitCode::bad_data,
            place.where + "[" + std::to_string(first_missing) + "]: " +
                std::to_string(num_missing) + " of " + std::to_string(place.part.chunks.size()) +
                " chunks were never written (first missing row " + std::to_string(first_missing) +
                "); the writer stopped early, make the file again");
}

void set_chunked(const Place& place) {
    const auto& chunk = place.info.chunk_dims;
    place.part.chunk_rows = static_cast<std::int64_t>(chunk.at(0));
    const std::string unknown_filters = set_filters(place);
    const bool whole_rows = std::equal(chunk.begin() + 1, chunk.end(), place.info.dims.begin() + 1);
    if (!whole_rows) return use_library(place, "chunks that are not of whole rows");
    if (!unknown_filters.empty()) return use_library(place, unknown_filters);
    if (place.info.edge_chunks_unfiltered && !place.part.filters.empty()) {
        return use_library(place, "unfiltered edge chunks");
    }
    const std::int64_t row_bytes = std::max<std::int64_t>(place.dataset.row_bytes(), 1);
    require(
        place.part.filters.empty() || place.part.chunk_rows <= max_filtered_chunk_bytes / row_bytes,
        ExitCode::bad_data,
        place.where + ": its compressed chunks are too large (" +
            std::to_string(place.part.chunk_rows) + " rows of " + std::to_string(row_bytes) +
            " bytes); rewrite it with chunks of at most 1 GiB, best 1 to 4 MiB");
    const std::string no_table = find_chunks(place);
    if (!no_table.empty()) return use_library(place, no_table);
    place.part.layout = Layout::chunked;
    check_chunks(place);
}

}  // namespace

void find_layout(const h5::Inspector& inspector, const h5::RawFile& file,
                 const h5::DatasetInfo& info, Dataset& dataset) {
    const std::string where = dataset.parts[0].path + ": " + printable(dataset.path);
    const Place place{inspector, file, info, dataset, dataset.parts[0], where};
    require_inside(place);
    if (dataset.num_rows == 0) {
        place.part.layout = Layout::contiguous;  // nothing will be read
        return;
    }
    if (info.type.is_variable) return use_library(place, "text of variable length");
    if (info.type.space_padded) return use_library(place, "text padded with blanks");
    switch (info.storage) {
        case Storage::contiguous:
            return set_contiguous(place);
        case Storage::chunked:
            return set_chunked(place);
        case Storage::compact:
            return use_library(place, "compact storage");
        case Storage::other_datasets:
            return use_library(place, "a virtual dataset");
    }
}

}  // namespace sluice::pool
