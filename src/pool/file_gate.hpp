#pragma once

#include <cstdint>
#include <string>

namespace sluice::pool {

/// Size and modification time, to notice that a file is not the one that was described.
struct FileStamp {
    std::int64_t file_bytes = 0;
    std::int64_t modified_ns = 0;
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// Says, without the HDF5 library, whether a file is fit to be opened: throws Error(no_input) if
/// missing or not a regular file, Error(permission), Error(try_again) while a writer holds a lock
/// on it, Error(bad_data) if empty, without an HDF5 signature, truncated, or not closed by its
/// writer. File systems without locks are fine.
FileStamp check_is_complete_hdf5(const std::string& path);

/// The stamp of an open file.
FileStamp stamp_of(int descriptor, const std::string& path);

}  // namespace sluice::pool
