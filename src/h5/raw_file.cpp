#include "h5/raw_file.hpp"

#include "core/error.hpp"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace sluice::h5 {
namespace {

constexpr std::array<unsigned char, 8> signature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1A, '\n'};
constexpr std::int64_t superblock_bytes = 64;  // enough for the fields used, in every version

Superblock parse_superblock(std::span<const std::byte> bytes, std::int64_t position,
                            const std::string& path) {
    FieldCursor cursor(bytes, path);
    Superblock block;
    cursor.skip(signature.size());
    block.version = static_cast<int>(cursor.number(1));
    require(block.version <= 3, ExitCode::bad_data,
            path + ": HDF5 superblock version is unknown (" + std::to_string(block.version) +
                "); the file is damaged or needs a newer library");
    if (block.version < 2) cursor.skip(4);  // versions of the other structures
    block.offset_bytes = static_cast<int>(cursor.number(1));
    block.length_bytes = static_cast<int>(cursor.number(1));
    const auto is_width = [](int width) { return width == 2 || width == 4 || width == 8; };
    require(is_width(block.offset_bytes) && is_width(block.length_bytes), ExitCode::bad_data,
            path + ": HDF5 superblock is damaged (address width " +
                std::to_string(block.offset_bytes) + "); copy or make the file again");
    if (block.version < 2) {
        cursor.skip(block.version == 1 ? 13 : 9);  // B-tree ranks, flags
    } else {
        const std::uint64_t flags = cursor.number(1);
        block.open_for_writing = block.version >= 3 && (flags & 0x05U) != 0;
    }
    const std::uint64_t stated_base = cursor.number(block.offset_bytes);
    cursor.skip(static_cast<std::size_t>(block.offset_bytes));  // free space or extension
    const std::uint64_t stated_end = cursor.number(block.offset_bytes);
    // Whoever prepends a user block moves the file; the library goes by the signature too.
    block.base = position;
    block.end_of_file = static_cast<std::int64_t>(stated_end - stated_base) + position;
    return block;
}

}  // namespace

std::uint64_t FieldCursor::number(int width) {
    const auto field = bytes(static_cast<std::size_t>(width));
    std::uint64_t value = 0;
    for (std::size_t i = field.size(); i > 0; --i) {
        value = (value << 8) | std::to_integer<std::uint64_t>(field[i - 1]);
    }
    return value;
}

std::span<const std::byte> FieldCursor::bytes(std::size_t count) {
    require(count <= bytes_.size(), ExitCode::bad_data,
            path_ + ": HDF5 metadata ends too early; the file is damaged, copy or make it again");
    const auto field = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return field;
}

std::optional<Superblock> find_superblock(const FileDescriptor& file, std::int64_t file_bytes,
                                          const std::string& path) {
    for (std::int64_t position = 0; position + superblock_bytes <= file_bytes;
         position = position == 0 ? 512 : position * 2) {
        std::array<std::byte, superblock_bytes> bytes{};
        read_exactly(file, bytes, static_cast<std::size_t>(position), path);
        if (std::memcmp(bytes.data(), signature.data(), signature.size()) == 0) {
            return parse_superblock(bytes, position, path);
        }
    }
    return std::nullopt;
}

RawFile::RawFile(const std::string& path) : path_(path), file_(open_for_reading(path)) {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) throw system_error(path, "cannot stat", errno);
    file_bytes_ = status.st_size;
    const auto found = find_superblock(file_, file_bytes_, path);
    require(found.has_value(), ExitCode::bad_data, path + ": no HDF5 signature");
    superblock_ = *found;
}

std::vector<std::byte> RawFile::read(std::uint64_t address, std::uint64_t count) const {
    const auto room = static_cast<std::uint64_t>(file_bytes_ - superblock_.base);
    require(address <= room && count <= room - address, ExitCode::bad_data,
            path_ + ": HDF5 metadata lies outside the file (address " + std::to_string(address) +
                "); the file is damaged, copy or make it again");
    std::vector<std::byte> bytes(count);
    read_exactly(file_, bytes, address + static_cast<std::uint64_t>(superblock_.base), path_);
    return bytes;
}

}  // namespace sluice::h5
