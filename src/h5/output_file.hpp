#pragma once

#include "core/durable_file.hpp"
#include "h5/handle.hpp"
#include "h5/memory_image.hpp"
#include "h5/stored_type.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::h5 {

/// How a new dataset lies in its file. Space is allocated at once and never filled, so rows that
/// are not written hold whatever the file system gives (zeros).
struct DatasetOptions {
    std::int64_t chunk_rows = 0;  ///< 0 = contiguous; else chunks of this many whole rows
    bool shuffle = false;         ///< the filters need chunks; applied in this order
    int deflate_level = 0;        ///< 0 = none, 1..9
    bool fletcher32 = false;
};

/// A dataset being written. Must not outlive its OutputFile. Nothing is ever converted: what is
/// written must have the type of the dataset. All members throw Error(io_error).
class OutputDataset {
  public:
    OutputDataset(Handle handle, std::string where, StoredType type,
                  std::vector<std::int64_t> dims);

    /// All elements, row-major.
    template <typename T>
    void write(std::span<const T> values) {
        write_rows(0, std::as_bytes(values), stored_type_of<T>());
    }

    /// Rows first_row ...: as many whole rows as `values` holds.
    template <typename T>
    void write_rows(std::int64_t first_row, std::span<const T> values) {
        write_rows(first_row, std::as_bytes(values), stored_type_of<T>());
    }

    /// Rows first_row ... from elements in the stored type (little-endian).
    void write_raw_rows(std::int64_t first_row, std::span<const std::byte> bytes);

    /// One chunk as it shall stand in the file: already shuffled, compressed and checksummed.
    /// Bit i of `skipped_filters` set = filter i was not applied. `first_row` is the chunk's.
    void write_chunk(std::int64_t first_row, std::span<const std::byte> stored,
                     std::uint32_t skipped_filters = 0);

    /// File address of a contiguous dataset's first byte, so that others can pwrite its rows
    /// once the file is closed.
    std::int64_t contiguous_offset() const;

    /// File addresses of an unfiltered chunked dataset's chunks, in row order.
    std::vector<std::int64_t> chunk_offsets() const;

    /// Closes, reporting what the destructor would hide.
    void close();

  private:
    void write_rows(std::int64_t first_row, std::span<const std::byte> bytes, StoredType type);

    Handle handle_;
    std::string where_;
    StoredType type_;
    std::vector<std::int64_t> dims_;
};

/// Text in a file: each string padded with zeros to the longest, or of its own length.
enum class TextStorage { fixed, variable };

/// Where HDF5 itself writes. A full disk breaks the library (see MemoryImage), so its writes at
/// closing time must not fail.
enum class Backing {
    memory,  ///< to memory; close() takes all of it to disk. For what fits into memory.
    disk     ///< straight to disk; close() reserves the space before HDF5 writes its tables.
};

/// A new HDF5 file (format of HDF5 1.8, readable everywhere). Write it under a temporary name: a
/// writer that is killed leaves an unreadable file.
class OutputFile {
  public:
    /// Creates the file; an existing one is an error. Throws Error(cannot_create).
    explicit OutputFile(const std::string& path, Backing backing = Backing::memory);

    /// Without close() before it, what was not written yet is dropped.
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    /// A new file without a name on disk, for small ones whose bytes the caller writes out himself:
    /// end it with take_image() instead of close(). `name` is for messages.
    static OutputFile in_memory(const std::string& name);

    /// Creates a dataset [dims...]; missing groups in `name` ("columns/energy") are created.
    OutputDataset create_dataset(const std::string& name, StoredType type,
                                 const std::vector<std::int64_t>& dims,
                                 const DatasetOptions& options = {});

    /// A small dataset of numbers or of UTF-8 text, written whole.
    template <typename T>
    void write_dataset(const std::string& name, std::span<const T> values,
                       const std::vector<std::int64_t>& dims) {
        OutputDataset dataset = create_dataset(name, stored_type_of<T>(), dims);
        dataset.write(values);
        dataset.close();
    }
    void write_text_dataset(const std::string& name, std::span<const std::string> values,
                            TextStorage storage);

    /// Attributes of the object at path `object` ("/" is the root group).
    void set_attribute(const std::string& object, const std::string& name,
                       const std::string& value);
    void set_attribute(const std::string& object, const std::string& name,
                       std::span<const std::string> values);
    void set_attribute(const std::string& object, const std::string& name, std::int64_t value);
    void set_attribute(const std::string& object, const std::string& name, double value);

    /// Writes everything to disk and closes; throws Error(io_error) if anything could not be
    /// written (disk full). Close the datasets before. Without this call the file on disk is not
    /// an HDF5 file. Does not fsync.
    void close();

    /// Closes a file of in_memory() and returns all its bytes.
    std::vector<std::byte> take_image();

  private:
    OutputFile(std::string name, Handle file);
    int descriptor() const;
    void reserve_space() const;

    void write_attribute(const std::string& object, const std::string& name, const Handle& type,
                         const Handle& space, const void* value);

    std::string path_;
    Backing backing_;
    FileDescriptor disk_;
    MemoryImage image_;
    Handle file_;
};

}  // namespace sluice::h5
