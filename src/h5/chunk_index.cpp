#include "h5/chunk_index.hpp"

#include "core/error.hpp"
#include "h5/chunk_index_root.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace sluice::h5 {
namespace {

constexpr int chunk_node_type = 1;

[[noreturn]] void throw_damaged(const RawFile& file, const std::string& what) {
    throw Error(ExitCode::bad_data, file.path() + ": the index of chunks is damaged (" + what +
                                        "); copy or make the file again");
}

std::uint64_t undefined_address(const RawFile& file) {
    const int width = file.superblock().offset_bytes;
    return width == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * width)) - 1;
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

// Index of a dataset with a fixed number of chunks: an array, in pages if it is long.
class FixedArray {
  public:
    FixedArray(const RawFile& file, const ChunkGrid& grid, std::uint64_t header_address)
        : file_(file), grid_(grid), width_(static_cast<unsigned>(file.superblock().offset_bytes)) {
        const auto length = static_cast<unsigned>(file.superblock().length_bytes);
        const auto header = file.read(header_address, 8 + length + width_);
        FieldCursor cursor(header, file.path());
        if (std::memcmp(cursor.bytes(4).data(), "FAHD", 4) != 0) {
            throw_damaged(file, "no array signature");
        }
        cursor.skip(1);
        filtered_ = cursor.number(1) == 1;
        entry_bytes_ = cursor.number(1);
        page_bits_ = cursor.number(1);
        num_entries_ = cursor.number(static_cast<int>(length));
        block_address_ = cursor.number(static_cast<int>(width_));
        const std::uint64_t least = filtered_ ? width_ + 5U : width_;
        if (entry_bytes_ < least || entry_bytes_ > least + 7 || page_bits_ > 32) {
            throw_damaged(file, "array entries of an impossible size");
        }
    }

    // Chunks along other dimensions are numbered too: then this is no plain list of row chunks.
    bool is_one_entry_a_chunk() const {
        return num_entries_ == static_cast<std::uint64_t>(grid_.num_chunks);
    }

    std::vector<ChunkPlace> places() const {
        std::vector<ChunkPlace> places(num_entries_);
        if (block_address_ == undefined_address(file_)) return places;
        std::uint64_t address = block_address_ + 6 + width_;  // signature, version, client, header
        const std::uint64_t page_entries = std::uint64_t{1} << page_bits_;
        if (num_entries_ <= page_entries) {
            read_entries(address, places);
            return places;
        }
        const std::uint64_t num_pages = (num_entries_ + page_entries - 1) / page_entries;
        const auto written = file_.read(address, (num_pages + 7) / 8);
        address += written.size() + checksum_bytes;
        for (std::uint64_t page = 0; page < num_pages; ++page) {
            const std::uint64_t first = page * page_entries;
            const std::uint64_t count = std::min(page_entries, num_entries_ - first);
            const auto mask = std::byte{0x80} >> static_cast<int>(page % 8);
            if ((written[page / 8] & mask) != std::byte{0}) {
                read_entries(address, std::span(places).subspan(first, count));
            }
            address += page_entries * entry_bytes_ + checksum_bytes;
        }
        return places;
    }

  private:
    static constexpr std::uint64_t checksum_bytes = 4;

    void read_entries(std::uint64_t address, std::span<ChunkPlace> places) const {
        const auto bytes = file_.read(address, places.size() * entry_bytes_);
        FieldCursor cursor(bytes, file_.path());
        for (ChunkPlace& place : places) {
            const std::uint64_t chunk = cursor.number(static_cast<int>(width_));
            place.stored_bytes = grid_.chunk_bytes;
            if (filtered_) {
                const auto size_bytes = static_cast<int>(entry_bytes_ - width_ - 4);
                place.stored_bytes = static_cast<std::int64_t>(cursor.number(size_bytes));
                place.skipped_filters = static_cast<std::uint32_t>(cursor.number(4));
            }
            if (chunk == undefined_address(file_))
                place = {};
            else
                place.offset = static_cast<std::int64_t>(chunk) + file_.superblock().base;
        }
    }

    const RawFile& file_;
    const ChunkGrid& grid_;
    unsigned width_;
    bool filtered_ = false;
    std::uint64_t entry_bytes_ = 0;
    std::uint64_t page_bits_ = 0;
    std::uint64_t num_entries_ = 0;
    std::uint64_t block_address_ = 0;
};

std::vector<ChunkPlace> walk_tree(const RawFile& file, const ChunkGrid& grid, std::uint64_t root) {
    TreeWalk walk(file, grid);
    constexpr int any_level = 256;
    if (root != undefined_address(file)) walk.visit(root, any_level);
    return walk.take();
}

}  // namespace

std::optional<std::vector<ChunkPlace>> read_chunk_table(const RawFile& file,
                                                        std::uint64_t header_address,
                                                        const ChunkGrid& grid) {
    const auto root = find_chunk_index(file, header_address);
    if (!root) return std::nullopt;
    if (root->kind == ChunkIndexRoot::Kind::tree) return walk_tree(file, grid, root->address);
    if (root->address == undefined_address(file)) {
        return std::vector<ChunkPlace>(static_cast<std::size_t>(grid.num_chunks));
    }
    const FixedArray array(file, grid, root->address);
    if (!array.is_one_entry_a_chunk()) return std::nullopt;
    return array.places();
}

}  // namespace sluice::h5
