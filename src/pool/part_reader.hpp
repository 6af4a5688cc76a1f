#pragma once

#include "core/durable_file.hpp"
#include "pool/dataset.hpp"
#include "pool/row_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::pool {

/// Reads stored rows of one file's share of a dataset. Rows are local: 0 is the file's first.
/// Thread-safe; each thread brings its Scratch.
class PartReader {
  public:
    /// `index` is the part's number in the dataset, `reader_id` that of the RowReader: they tell
    /// whose chunk a Scratch holds. Opens the file; throws Error(bad_data) if it has changed since
    /// it was described.
    PartReader(const Dataset& dataset, std::size_t index, std::uint64_t reader_id);

    /// Stored bytes of rows [range), filters undone, into out [range.size() * row_bytes].
    /// Not for Layout::library.
    void fetch(RowRange range, std::span<std::byte> out, RowReader::Scratch& scratch) const;

    /// Like fetch(), but returns where the bytes lie: in the scratch's decoded chunk or raw bytes,
    /// valid until its next use. The range must lie inside one_piece().
    const std::byte* view(RowRange range, RowReader::Scratch& scratch) const;

    /// The first rows of `range` that view() gives in one go: some 256 KiB, inside one chunk if
    /// chunks are filtered.
    RowRange one_piece(RowRange range) const;

    /// Layout::library: the stored bytes of the ranges one after the other, read by the HDF5
    /// library in a child process. Says so in the log, once a dataset.
    std::string fetch_by_library(std::span<const RowRange> ranges) const;

    /// The same for text of any kind.
    std::vector<std::string> text_by_library(RowRange range) const;

    /// Asks the system to start reading.
    void prefetch(RowRange range) const;

    /// Bytes that a Scratch grows to when `rows` rows are read at once.
    std::int64_t scratch_bytes(std::int64_t rows) const;

    const FilePart& part() const { return part_; }

  private:
    std::size_t row_bytes() const { return static_cast<std::size_t>(dataset_.row_bytes()); }
    std::size_t chunk_bytes() const;
    bool is_filtered() const { return !part_.filters.empty(); }
    RowRange rows_of_chunk(std::int64_t chunk) const;
    void fetch_unfiltered(RowRange range, std::span<std::byte> out) const;
    void fetch_filtered(RowRange range, std::span<std::byte> out,
                        RowReader::Scratch& scratch) const;
    void decode(std::int64_t chunk, std::span<std::byte> plain, RowReader::Scratch& scratch) const;
    const std::byte* decoded_chunk(std::int64_t chunk, RowReader::Scratch& scratch) const;
    void say_library_once() const;

    const Dataset& dataset_;
    const FilePart& part_;
    std::int64_t index_;
    std::uint64_t reader_id_;
    FileDescriptor file_;
};

}  // namespace sluice::pool
