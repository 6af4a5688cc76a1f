#include "pool/part_reader.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "h5/inspect.hpp"
#include "pool/archive.hpp"
#include "pool/child_process.hpp"
#include "pool/chunk_decoder.hpp"
#include "pool/file_gate.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstring>
#include <mutex>
#include <set>

namespace sluice::pool {
namespace {

// A piece to convert stays in the second-level cache.
constexpr std::int64_t piece_bytes = std::int64_t{256} << 10;

std::span<std::byte> sized(std::vector<std::byte>& buffer, std::size_t size) {
    if (buffer.size() < size) buffer.resize(size);
    return std::span(buffer).first(size);
}

}  // namespace

PartReader::PartReader(const Dataset& dataset, std::size_t index, std::uint64_t reader_id)
    : dataset_(dataset),
      part_(dataset.parts[index]),
      index_(static_cast<std::int64_t>(index)),
      reader_id_(reader_id),
      file_(open_for_reading(part_.path)) {
    const FileStamp expected{part_.file_bytes, part_.modified_ns};
    require(stamp_of(file_.get(), part_.path) == expected, ExitCode::bad_data,
            part_.path +
                ": has changed since it was opened; pools must not change while they "
                "are read, run again");
}

std::size_t PartReader::chunk_bytes() const {
    return static_cast<std::size_t>(part_.chunk_rows) * row_bytes();
}

RowRange PartReader::rows_of_chunk(std::int64_t chunk) const {
    return {chunk * part_.chunk_rows, std::min((chunk + 1) * part_.chunk_rows, part_.rows.size())};
}

void PartReader::fetch(RowRange range, std::span<std::byte> out,
                       RowReader::Scratch& scratch) const {
    if (range.empty()) return;
    if (part_.layout == Layout::contiguous) {
        const auto first = static_cast<std::size_t>(range.begin) * row_bytes();
        read_exactly(file_, out, static_cast<std::size_t>(part_.offset) + first, part_.path);
    } else if (is_filtered()) {
        fetch_filtered(range, out, scratch);
    } else {
        fetch_unfiltered(range, out);
    }
}

// Chunks that lie one behind the other in the file are read in one go.
void PartReader::fetch_unfiltered(RowRange range, std::span<std::byte> out) const {
    const auto address_of = [&](RowId row) {
        const Chunk& chunk = part_.chunks[static_cast<std::size_t>(row / part_.chunk_rows)];
        return static_cast<std::size_t>(chunk.offset) +
               static_cast<std::size_t>(row % part_.chunk_rows) * row_bytes();
    };
    RowId row = range.begin;
    while (row < range.end) {
        const std::size_t address = address_of(row);
        RowId end = row;
        std::size_t bytes = 0;
        do {
            const RowId border = (end / part_.chunk_rows + 1) * part_.chunk_rows;
            const RowId next = std::min(border, range.end);
            bytes += static_cast<std::size_t>(next - end) * row_bytes();
            end = next;
        } while (end < range.end && address_of(end) == address + bytes);
        const std::size_t done = static_cast<std::size_t>(row - range.begin) * row_bytes();
        read_exactly(file_, out.subspan(done, bytes), address, part_.path);
        row = end;
    }
}

void PartReader::fetch_filtered(RowRange range, std::span<std::byte> out,
                                RowReader::Scratch& scratch) const {
    for (RowId row = range.begin; row < range.end;) {
        const std::int64_t chunk = row / part_.chunk_rows;
        const RowRange chunk_rows = rows_of_chunk(chunk);
        const RowId end = std::min(chunk_rows.end, range.end);
        const std::size_t done = static_cast<std::size_t>(row - range.begin) * row_bytes();
        const std::size_t bytes = static_cast<std::size_t>(end - row) * row_bytes();
        if (bytes == chunk_bytes()) {
            decode(chunk, out.subspan(done, bytes), scratch);
        } else {
            const std::size_t skipped =
                static_cast<std::size_t>(row - chunk_rows.begin) * row_bytes();
            std::memcpy(&out[done], decoded_chunk(chunk, scratch) + skipped, bytes);
        }
        row = end;
    }
}

void PartReader::decode(std::int64_t chunk, std::span<std::byte> plain,
                        RowReader::Scratch& scratch) const {
    const Chunk& place = part_.chunks[static_cast<std::size_t>(chunk)];
    const auto stored = sized(scratch.raw, static_cast<std::size_t>(place.stored_bytes));
    read_exactly(file_, stored, static_cast<std::size_t>(place.offset), part_.path);
    const std::int64_t element =
        dataset_.type == ElementType::text ? dataset_.text_bytes : element_bytes(dataset_.type);
    const RowRange rows = rows_of_chunk(chunk);
    const ChunkCode code{part_.filters, place.skipped_filters, static_cast<std::size_t>(element),
                         part_.path + ": " + printable(dataset_.path) + "[" +
                             std::to_string(rows.begin) + ".." + std::to_string(rows.end - 1) +
                             "]"};
    decode_chunk(code, stored, plain, scratch);
}

const std::byte* PartReader::decoded_chunk(std::int64_t chunk, RowReader::Scratch& scratch) const {
    const bool cached = scratch.decoded_reader == reader_id_ && scratch.decoded_part == index_ &&
                        scratch.decoded_chunk == chunk;
    if (!cached) {
        scratch.decoded_reader = 0;  // until the new one is whole
        decode(chunk, sized(scratch.decoded, chunk_bytes()), scratch);
        scratch.decoded_reader = reader_id_;
        scratch.decoded_part = index_;
        scratch.decoded_chunk = chunk;
    }
    return scratch.decoded.data();
}

RowRange PartReader::one_piece(RowRange range) const {
    if (part_.layout == Layout::chunked && is_filtered()) {
        const RowRange chunk = rows_of_chunk(range.begin / part_.chunk_rows);
        return {range.begin, std::min(range.end, chunk.end)};
    }
    const std::int64_t row = std::max<std::int64_t>(dataset_.row_bytes(), 1);
    const RowId rows = std::max<RowId>(piece_bytes / row, 1);
    return {range.begin, std::min(range.end, range.begin + rows)};
}

const std::byte* PartReader::view(RowRange range, RowReader::Scratch& scratch) const {
    if (part_.layout == Layout::chunked && is_filtered()) {
        const std::int64_t chunk = range.begin / part_.chunk_rows;
        const RowId skipped = range.begin - rows_of_chunk(chunk).begin;
        return decoded_chunk(chunk, scratch) + static_cast<std::size_t>(skipped) * row_bytes();
    }
    const auto bytes = sized(scratch.raw, static_cast<std::size_t>(range.size()) * row_bytes());
    fetch(range, bytes, scratch);
    return bytes.data();
}

std::int64_t PartReader::scratch_bytes(std::int64_t rows) const {
    const std::int64_t row = dataset_.row_bytes();
    if (part_.layout == Layout::library) return rows * row;
    const bool plain = dataset_.type == ElementType::float32 && !dataset_.big_endian;
    if (!is_filtered()) {
        return plain ? 0 : std::min(rows * row, std::max(piece_bytes, row));
    }
    std::int64_t largest = 0;
    for (const Chunk& chunk : part_.chunks)
        largest = std::max(largest, chunk.stored_bytes);
    constexpr std::int64_t decompressor_bytes = 32 << 10;
    const auto chunk = static_cast<std::int64_t>(chunk_bytes());
    return largest + 2 * chunk + decompressor_bytes;
}

void PartReader::say_library_once() const {
    static std::mutex mutex;
    static std::set<std::string> said;
    const std::lock_guard lock(mutex);
    if (!said.insert(part_.path + ":" + dataset_.path).second) return;
    log_warning(part_.path + ": " + dataset_.path +
                ": read through the HDF5 library, which is "
                "slow (" +
                part_.why_library +
                "); rewrite it contiguous or in chunks of whole "
                "rows to speed it up");
}

std::string PartReader::fetch_by_library(std::span<const RowRange> ranges) const {
    say_library_once();
    std::size_t bytes = 0;
    for (const RowRange& range : ranges)
        bytes += static_cast<std::size_t>(range.size()) * row_bytes();
    std::string values = run_in_child(part_.path, [&] {
        const h5::Inspector inspector(part_.path);
        const std::string path = inspector.follow(dataset_.path).path;
        std::string all(bytes, '\0');
        std::size_t done = 0;
        for (const RowRange& range : ranges) {
            inspector.read_rows(path, range.begin, range.size(), all.data() + done);
            done += static_cast<std::size_t>(range.size()) * row_bytes();
        }
        return all;
    });
    require(values.size() == bytes, ExitCode::bad_data,
            part_.path + ": " + printable(dataset_.path) +
                ": cannot be read; copy or make the "
                "file again");
    return values;
}

std::vector<std::string> PartReader::text_by_library(RowRange range) const {
    const std::string bytes = run_in_child(part_.path, [&] {
        const h5::Inspector inspector(part_.path);
        const std::string path = inspector.follow(dataset_.path).path;
        return pack(inspector.read_text(path, range.begin, range.size()));
    });
    return unpack<std::vector<std::string>>(bytes);
}

void PartReader::prefetch(RowRange range) const {
    if (range.empty() || part_.layout == Layout::library) return;
    if (part_.layout == Layout::contiguous) {
        const std::int64_t row = dataset_.row_bytes();
        ::posix_fadvise(file_.get(), part_.offset + range.begin * row, range.size() * row,
                        POSIX_FADV_WILLNEED);
        return;
    }
    const std::int64_t last = (range.end - 1) / part_.chunk_rows;
    std::int64_t offset = -1;
    std::int64_t bytes = 0;
    for (std::int64_t i = range.begin / part_.chunk_rows; i <= last; ++i) {
        const Chunk& chunk = part_.chunks[static_cast<std::size_t>(i)];
        if (chunk.offset == offset + bytes) {
            bytes += chunk.stored_bytes;
            continue;
        }
        if (bytes > 0) ::posix_fadvise(file_.get(), offset, bytes, POSIX_FADV_WILLNEED);
        offset = chunk.offset;
        bytes = chunk.stored_bytes;
    }
    if (bytes > 0) ::posix_fadvise(file_.get(), offset, bytes, POSIX_FADV_WILLNEED);
}

}  // namespace sluice::pool
