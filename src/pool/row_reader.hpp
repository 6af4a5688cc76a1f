#pragma once

#include "pool/dataset.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sluice::pool {

/// Reads rows of one dataset, bypassing HDF5's data path: pread at dataset and chunk addresses,
/// filters undone and numbers converted here. Layouts we do not know go through H5Dread under a
/// lock, which is logged once. All members may be called by several threads at once.
class RowReader {
  public:
    /// A thread's own memory: decoded chunk, raw bytes. Reused between calls.
    struct Scratch {
        std::vector<std::byte> raw;       ///< bytes as they stand in the file
        std::vector<std::byte> inflated;  ///< a chunk between two filters
        std::vector<std::byte> decoded;
        std::uint64_t decoded_reader = 0;  ///< which reader, file part and chunk `decoded` holds
        std::int64_t decoded_part = -1;
        std::int64_t decoded_chunk = -1;
        std::shared_ptr<void> decompressor;  ///< this thread's, made at first use
    };

    /// Keeps a reference to `dataset`, which must outlive the reader. Opens the files.
    explicit RowReader(const Dataset& dataset);
    ~RowReader();
    RowReader(RowReader&&) noexcept;

    /// Rows [range) as float32, row-major, into out [range.size() * row_elements]. float16 is
    /// widened exactly, float64 and integers rounded to nearest; a finite float64 beyond float32's
    /// range throws Error(bad_data) naming the row.
    void read(RowRange range, std::span<float> out, Scratch& scratch) const;

    /// The given rows (ascending), as read() would give them, into out [rows.size()*row_elements].
    void gather(std::span<const RowId> rows, std::span<float> out, Scratch& scratch) const;

    /// The given rows' stored numbers as float64 (no loss for anything but 64-bit integers).
    void gather_doubles(std::span<const RowId> rows, std::span<double> out, Scratch& scratch) const;

    /// The given rows of an integer dataset; throws Error(bad_data) for values beyond int64.
    void gather_integers(std::span<const RowId> rows, std::span<std::int64_t> out,
                         Scratch& scratch) const;

    /// The given rows of an ids dataset (integers or text) as text.
    std::vector<std::string> gather_text(std::span<const RowId> rows, Scratch& scratch) const;

    /// The stored bytes of rows [range), or of the given rows, after undoing filters, in file byte
    /// order.
    void read_bytes(RowRange range, std::span<std::byte> out, Scratch& scratch) const;
    void gather_bytes(std::span<const RowId> rows, std::span<std::byte> out,
                      Scratch& scratch) const;

    /// Asks the system to start reading these rows (POSIX_FADV_WILLNEED); never blocks, never
    /// fails.
    void prefetch(RowRange range) const;

    /// A good number of rows to read at once: about `target_bytes` of stored data, whole chunks
    /// where chunks are smaller, a divisor of a chunk where they are larger and unfiltered.
    std::int64_t block_rows(std::int64_t target_bytes) const;

    /// Bytes of Scratch one thread needs for blocks of `rows` rows; for the memory plan.
    std::int64_t scratch_bytes(std::int64_t rows) const;

  private:
    struct State;
    void read_ranges(std::span<const RowRange> ranges, std::span<float> out,
                     Scratch& scratch) const;
    void copy_ranges(std::span<const RowRange> ranges, std::span<std::byte> out,
                     Scratch& scratch) const;

    std::unique_ptr<State> state_;
};

}  // namespace sluice::pool
