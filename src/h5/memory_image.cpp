#include "h5/memory_image.hpp"

#include "core/error.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <span>
#include <vector>

namespace sluice::h5 {
namespace {

constexpr const char* image_name = "memory file";
constexpr std::size_t piece_bytes = std::size_t{1} << 20;

// The next written extent of the image at or after `begin`; empty at its end.
struct Extent {
    off_t begin = 0;
    off_t end = 0;
};

Extent next_extent(const FileDescriptor& memory, off_t begin) {
    const off_t data = ::lseek(memory.get(), begin, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return {};
    const off_t hole = data < 0 ? -1 : ::lseek(memory.get(), data, SEEK_HOLE);
    if (hole < 0) throw system_error(image_name, "cannot list what was written", errno);
    return {data, hole};
}

}  // namespace

FileDescriptor MemoryImage::stand_in_for(int descriptor, const std::string& path) {
    FileDescriptor file(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0), path);
    memory_ = {::memfd_create("sluice-hdf5", MFD_CLOEXEC), image_name};
    if (!file.valid() || !memory_.valid() || ::dup2(memory_.get(), descriptor) < 0) {
        throw system_error(path, "cannot prepare to write", errno);
    }
    return file;
}

void MemoryImage::copy_to(const FileDescriptor& file, const std::string& path) {
    struct stat status {};
    if (::fstat(memory_.get(), &status) != 0) throw system_error(image_name, "cannot stat", errno);
    std::vector<std::byte> piece(piece_bytes);
    for (Extent extent = next_extent(memory_, 0); extent.end > 0;
         extent = next_extent(memory_, extent.end)) {
        for (off_t offset = extent.begin; offset < extent.end;) {
            const auto left = static_cast<std::size_t>(extent.end - offset);
            const auto bytes = std::span(piece).first(std::min(piece_bytes, left));
            read_exactly(memory_, bytes, static_cast<std::size_t>(offset), image_name);
            write_exactly(file, bytes, static_cast<std::size_t>(offset), path);
            offset += static_cast<off_t>(bytes.size());
        }
    }
    struct stat written {};
    if (::fstat(file.get(), &written) != 0) throw system_error(path, "cannot stat", errno);
    if (written.st_size < status.st_size && ::ftruncate(file.get(), status.st_size) != 0) {
        throw system_error(path, "cannot write", errno);
    }
}

}  // namespace sluice::h5
