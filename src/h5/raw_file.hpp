#pragma once

#include "core/durable_file.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sluice::h5 {

/// What an HDF5 file says about itself in its first bytes.
/// \source HDF5 File Format Specification 3.0, section II.A (superblock versions 0 to 3).
struct Superblock {
    int version = 0;
    std::int64_t base = 0;          ///< where the HDF5 part starts: after a user block, else 0
    std::int64_t end_of_file = 0;   ///< file size the writer left behind
    int offset_bytes = 8;           ///< width of addresses in the file
    int length_bytes = 8;           ///< width of sizes in the file
    bool open_for_writing = false;  ///< a writer has not closed the file (version 3 only)
};

/// The HDF5 format signature is looked for at 0, 512, 1024, 2048, ...; nothing if it is nowhere.
std::optional<Superblock> find_superblock(const FileDescriptor& file, std::int64_t file_bytes,
                                          const std::string& path);

/// Walks little-endian fields of a piece of a file. Reading past the end throws Error(bad_data).
class FieldCursor {
  public:
    FieldCursor(std::span<const std::byte> bytes, const std::string& path)
        : bytes_(bytes), path_(path) {}

    /// The next `width` bytes (1 to 8) as an unsigned number.
    std::uint64_t number(int width);
    std::span<const std::byte> bytes(std::size_t count);
    void skip(std::size_t count) { bytes(count); }
    std::size_t left() const { return bytes_.size(); }

  private:
    std::span<const std::byte> bytes_;
    const std::string& path_;
};

/// Metadata of an HDF5 file read without the library; addresses are relative to the base.
class RawFile {
  public:
    /// Throws as open_for_reading; Error(bad_data) without a signature.
    explicit RawFile(const std::string& path);

    /// Throws Error(bad_data) if the bytes do not lie inside the file.
    std::vector<std::byte> read(std::uint64_t address, std::uint64_t count) const;

    const Superblock& superblock() const { return superblock_; }
    std::int64_t file_bytes() const { return file_bytes_; }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
    FileDescriptor file_;
    std::int64_t file_bytes_ = 0;
    Superblock superblock_;
};

}  // namespace sluice::h5
