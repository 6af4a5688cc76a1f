#include "h5/chunk_index_root.hpp"

#include "h5/object_header.hpp"

namespace sluice::h5 {
namespace {

constexpr std::uint64_t layout_message = 0x08;
constexpr std::uint64_t chunked_class = 2;
constexpr std::uint64_t fixed_array_index = 3;

// Version 4: the chunk's extents in numbers of their own width, then the kind of index.
std::optional<ChunkIndexRoot> parse_version4(FieldCursor& cursor, int offset_bytes) {
    if (cursor.number(1) != chunked_class) return std::nullopt;
    cursor.skip(1);  // flags
    const std::uint64_t num_extents = cursor.number(1);
    const std::uint64_t extent_bytes = cursor.number(1);
    cursor.skip(num_extents * extent_bytes);
    if (cursor.number(1) != fixed_array_index) return std::nullopt;
    cursor.skip(1);  // page bits, which the array's header has too
    return ChunkIndexRoot{ChunkIndexRoot::Kind::fixed_array, cursor.number(offset_bytes)};
}

}  // namespace

std::optional<ChunkIndexRoot> find_chunk_index(const RawFile& file, std::uint64_t header_address) {
    const auto message = find_message(file, header_address, layout_message);
    if (!message) return std::nullopt;
    const int offset_bytes = file.superblock().offset_bytes;
    FieldCursor cursor(*message, file.path());
    const std::uint64_t version = cursor.number(1);
    if (version == 4) return parse_version4(cursor, offset_bytes);
    if (version == 3) {
        if (cursor.number(1) != chunked_class) return std::nullopt;
        cursor.skip(1);  // number of extents
    } else if (version == 1 || version == 2) {
        cursor.skip(1);  // number of extents
        if (cursor.number(1) != chunked_class) return std::nullopt;
        cursor.skip(5);
    } else {
        return std::nullopt;
    }
    return ChunkIndexRoot{ChunkIndexRoot::Kind::tree, cursor.number(offset_bytes)};
}

}  // namespace sluice::h5
