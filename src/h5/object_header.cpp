#include "h5/object_header.hpp"

#include "core/error.hpp"

#include <cstring>
#include <deque>

namespace sluice::h5 {
namespace {

constexpr std::uint64_t continuation_message = 0x10;
constexpr std::size_t max_blocks = 1024;
constexpr std::size_t checksum_bytes = 4;

struct Block {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
};

// Looks through the blocks of one header, in order, for one message.
class MessageSearch {
  public:
    MessageSearch(const RawFile& file, std::uint64_t wanted) : file_(file), wanted_(wanted) {}

    std::optional<std::vector<std::byte>> in_version1(std::uint64_t address) {
        const auto prefix = file_.read(address, 16);
        FieldCursor cursor(prefix, file_.path());
        cursor.skip(8);  // version, number of messages, references
        blocks_.push_back({address + 16, cursor.number(4)});
        for (std::size_t i = 0; i < blocks_.size() && i < max_blocks; ++i) {
            const auto bytes = file_.read(blocks_[i].address, blocks_[i].bytes);
            FieldCursor messages(bytes, file_.path());
            while (messages.left() >= 8) {
                const std::uint64_t type = messages.number(2);
                const std::uint64_t size = messages.number(2);
                messages.skip(4);  // flags, reserved
                if (take(type, messages.bytes(size))) return found_;
            }
        }
        return std::nullopt;
    }

    std::optional<std::vector<std::byte>> in_version2(std::uint64_t address) {
        const auto prefix = file_.read(address, 6);
        const auto flags = std::to_integer<unsigned>(prefix[5]);
        const std::uint64_t fields =
            6U + ((flags & 0x20U) != 0 ? 16U : 0U) + ((flags & 0x10U) != 0 ? 4U : 0U);
        const int size_width = 1 << (flags & 0x03U);
        const auto size_field = file_.read(address + fields, static_cast<unsigned>(size_width));
        const std::uint64_t size = FieldCursor(size_field, file_.path()).number(size_width);
        blocks_.push_back({address + fields + static_cast<unsigned>(size_width), size});
        const std::size_t header = (flags & 0x04U) != 0 ? 6 : 4;
        for (std::size_t i = 0; i < blocks_.size() && i < max_blocks; ++i) {
            const auto bytes = file_.read(blocks_[i].address, blocks_[i].bytes);
            FieldCursor messages(bytes, file_.path());
            if (i > 0) messages.skip(4);  // "OCHK"
            const std::size_t trailer = i > 0 ? checksum_bytes : 0;
            while (messages.left() >= header + trailer) {
                const std::uint64_t type = messages.number(1);
                const std::uint64_t message_bytes = messages.number(2);
                messages.skip(header - 3);
                if (take(type, messages.bytes(message_bytes))) return found_;
            }
        }
        return std::nullopt;
    }

  private:
    // Keeps the wanted message, queues a continuation. True when the search is over.
    bool take(std::uint64_t type, std::span<const std::byte> data) {
        if (type == wanted_) {
            found_.assign(data.begin(), data.end());
            return true;
        }
        if (type == continuation_message) {
            FieldCursor cursor(data, file_.path());
            const std::uint64_t address = cursor.number(file_.superblock().offset_bytes);
            blocks_.push_back({address, cursor.number(file_.superblock().length_bytes)});
        }
        return false;
    }

    const RawFile& file_;
    std::uint64_t wanted_;
    std::deque<Block> blocks_;
    std::vector<std::byte> found_;
};

}  // namespace

std::optional<std::vector<std::byte>> find_message(const RawFile& file, std::uint64_t address,
                                                   std::uint64_t wanted) {
    const auto start = file.read(address, 4);
    MessageSearch search(file, wanted);
    if (std::memcmp(start.data(), "OHDR", 4) == 0) return search.in_version2(address);
    require(std::to_integer<int>(start[0]) == 1, ExitCode::bad_data,
            file.path() + ": an HDF5 object header is damaged; copy or make the file again");
    return search.in_version1(address);
}

}  // namespace sluice::h5
