#include "pool/file_gate.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/path_status.hpp"
#include "core/text.hpp"
#include "h5/raw_file.hpp"

#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace sluice::pool {
namespace {

void require_exists(const std::string& path) {
    if (path_status(path, Links::keep)) return;
    const std::string parent = std::filesystem::path(path).parent_path().string();
    throw Error(ExitCode::no_input, path + ": no such file; see what is there with: ls " +
                                        (parent.empty() ? "." : parent));
}

// HDF5 writers hold an exclusive lock where the file system has locks; we hold none while reading.
void require_no_writer(const FileDescriptor& file, const std::string& path) {
    if (::flock(file.get(), LOCK_SH | LOCK_NB) == 0) {
        ::flock(file.get(), LOCK_UN);
        return;
    }
    require(errno != EWOULDBLOCK, ExitCode::try_again,
            path +
                ": another process holds it open for writing (locked); run again when the "
                "writer has closed it");
    static bool warned = false;
    if (!warned) {
        log_warning(path + ": this file system has no locks (" + std::strerror(errno) +
                    "), so a writer would not be noticed; make sure that nobody writes the pool");
    }
    warned = true;
}

void require_complete(const h5::Superblock& block, const FileStamp& stamp,
                      const std::string& path) {
    require(!block.open_for_writing, ExitCode::bad_data,
            path +
                ": still marked as open for writing, so its writer runs or died; wait for the "
                "writer, or copy the data into a new file");
    require(block.end_of_file <= stamp.file_bytes, ExitCode::bad_data,
            path + ": truncated (" + count_text(stamp.file_bytes) + " bytes of " +
                count_text(block.end_of_file) + "); copy or make the file again");
}

}  // namespace

FileStamp stamp_of(int descriptor, const std::string& path) {
    struct stat status {};
    if (::fstat(descriptor, &status) != 0) throw system_error(path, "cannot stat", errno);
    constexpr std::int64_t ns_per_second = 1'000'000'000;
    return {status.st_size, status.st_mtim.tv_sec * ns_per_second + status.st_mtim.tv_nsec};
}

FileStamp check_is_complete_hdf5(const std::string& path) {
    require_exists(path);
    const FileDescriptor file = open_for_reading(path);
    const FileStamp stamp = stamp_of(file.get(), path);
    require(stamp.file_bytes > 0, ExitCode::bad_data,
            path + ": empty file (0 bytes); copy or make the file again");
    require_no_writer(file, path);
    const auto superblock = h5::find_superblock(file, stamp.file_bytes, path);
    require(superblock.has_value(), ExitCode::bad_data,
            path +
                ": no HDF5 signature, so this is no HDF5 file; give a pool in HDF5 "
                "(scripts/ has converters from .npy and CSV)");
    require_complete(*superblock, stamp, path);
    return stamp;
}

}  // namespace sluice::pool
