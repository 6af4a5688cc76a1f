#include "h5/chunk_index.hpp"

#include "core/error.hpp"
#include "h5/object_header.hpp"

#include <cstring>

namespace sluice::h5 {
namespace {

constexpr std::uint64_t layout_message = 0x08;
constexpr std::uint64_t chunked_class = 2;
constexpr int chunk_node_type = 1;

[[noreturn]] void throw_damaged(const RawFile& file, const std::string& what) {
    throw Error(ExitCode::bad_data, file.path() + ": the index of chunks is damaged (" + what +
                                        "); copy or make the file again");
}

std::uint64_t undefined_address(const RawFile& file) {
    const int width = file.superblock().offset_bytes;
    return width == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * width)) - 1;
}

// Address of the root node, from the data layout message; nothing if the index is no B-tree of
// version 1.
std::optional<std::uint64_t> root_address(const RawFile& file, std::uint64_t header_address) {
    const auto message = find_message(file, header_address, layout_message);
    if (!message) return std::nullopt;
    FieldCursor cursor(*message, file.path());
    const std::uint64_t version = cursor.number(1);
    if (version == 3) {
        if (cursor.number(1) != chunked_class) return std::nullopt;
        cursor.skip(1);  // dimensions
    } else if (version == 1 || version == 2) {
        cursor.skip(1);
        if (cursor.number(1) != chunked_class) return std::nullopt;
        cursor.skip(5);
    } else {
        return std::nullopt;
    }
    return cursor.number(file.superblock().offset_bytes);
}

class TreeWalk {
  public:
    TreeWalk(const RawFile& file, const ChunkGrid& grid)
        : file_(file), grid_(grid), places_(static_cast<std::size_t>(grid.num_chunks)) {}

    // `level_limit`: the node must be below its parent, which rules out loops.
    void visit(std::uint64_t address, int level_limit) {
        const int width = file_.superblock().offset_bytes;
        const auto header_bytes = 8U + 2U * static_cast<unsigned>(width);
        const auto header = file_.read(address, header_bytes);
        if (std::memcmp(header.data(), "TREE", 4) != 0) throw_damaged(file_, "no node signature");
        FieldCursor cursor(header, file_.path());
        cursor.skip(4);
        if (cursor.number(1) != chunk_node_type) throw_damaged(file_, "wrong kind of node");
        const int level = static_cast<int>(cursor.number(1));
        if (level >= level_limit) throw_damaged(file_, "nodes form a loop");
        const std::uint64_t num_entries = cursor.number(2);
        const std::uint64_t key_bytes = 8U + 8U * static_cast<unsigned>(grid_.rank + 1);
        const auto entries = file_.read(address + header_bytes,
                                        num_entries * (key_bytes + static_cast<unsigned>(width)));
        FieldCursor fields(entries, file_.path());
        for (std::uint64_t i = 0; i < num_entries; ++i) {
            FieldCursor key(fields.bytes(key_bytes), file_.path());
            const std::uint64_t child = fields.number(width);
            if (level > 0)
                visit(child, level);
            else
                place(key, child);
        }
    }

    std::vector<ChunkPlace> take() { return std::move(places_); }

  private:
    void place(FieldCursor& key, std::uint64_t address) {
        ChunkPlace place;
        place.stored_bytes = static_cast<std::int64_t>(key.number(4));
        place.skipped_filters = static_cast<std::uint32_t>(key.number(4));
        const std::uint64_t first_row = key.number(8);
        for (int i = 1; i < grid_.rank; ++i) {
            if (key.number(8) != 0) throw_damaged(file_, "a chunk is not of whole rows");
        }
        const auto rows = static_cast<std::uint64_t>(grid_.chunk_rows);
        if (first_row % rows != 0) throw_damaged(file_, "a chunk starts between chunks");
        // Chunks past the end are left behind when a dataset is shrunk.
        if (first_row / rows >= places_.size()) return;
        place.offset = static_cast<std::int64_t>(address) + file_.superblock().base;
        ChunkPlace& slot = places_[first_row / rows];
        if (slot.offset >= 0) throw_damaged(file_, "a chunk is listed twice");
        slot = place;
    }

    const RawFile& file_;
    const ChunkGrid& grid_;
    std::vector<ChunkPlace> places_;
};

}  // namespace

std::optional<std::vector<ChunkPlace>> read_chunk_tree(const RawFile& file,
                                                       std::uint64_t header_address,
                                                       const ChunkGrid& grid) {
    const auto root = root_address(file, header_address);
    if (!root) return std::nullopt;
    TreeWalk walk(file, grid);
    constexpr int any_level = 256;
    if (*root != undefined_address(file)) walk.visit(*root, any_level);
    return walk.take();
}

}  // namespace sluice::h5
