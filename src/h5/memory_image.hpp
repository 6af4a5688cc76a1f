#pragma once

#include "core/durable_file.hpp"

#include <string>

namespace sluice::h5 {

/// A file in memory that HDF5 writes instead of the one on disk. HDF5 1.10 cannot give up a file
/// that it fails to write: the failed close leaves a dangling identifier, on which the library
/// crashes when MPI is finalized. Memory does not fail; what is in it we write to disk ourselves,
/// with every error checked.
class MemoryImage {
  public:
    /// Takes the place of the file behind `descriptor` for everything that uses the descriptor from
    /// now on; returns another descriptor of that file. Throws Error(io_error).
    FileDescriptor stand_in_for(int descriptor, const std::string& path);

    /// Writes everything that was written to the image to the same places of `file` and gives
    /// `file` the image's length. Throws Error(io_error); `path` for messages.
    void copy_to(const FileDescriptor& file, const std::string& path);

  private:
    FileDescriptor memory_;
};

}  // namespace sluice::h5
