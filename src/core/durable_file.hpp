#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sluice {

/// Owns a file descriptor. close() throws if closing fails; the destructor, for what was only read,
/// notes the trouble (trouble.hpp).
class FileDescriptor {
  public:
    FileDescriptor() = default;
    /// `path` is what messages call it.
    FileDescriptor(int descriptor, std::string path)
        : descriptor_(descriptor), path_(std::move(path)) {}
    ~FileDescriptor();
    FileDescriptor(FileDescriptor&& other) noexcept;
    FileDescriptor& operator=(FileDescriptor&& other) noexcept;

    int get() const { return descriptor_; }
    bool valid() const { return descriptor_ >= 0; }

    /// Closes and throws if close() fails (NFS reports write errors here).
    void close();

  private:
    int close_now() noexcept;

    int descriptor_ = -1;
    std::string path_;
};

/// Opens a regular file for reading. Throws Error(no_input) if it is missing or not a regular
/// file (checked before opening, so that a FIFO does not block), Error(permission) if forbidden.
FileDescriptor open_for_reading(const std::string& path);

/// Reads exactly bytes.size() bytes at `offset` (pread, retried on EINTR and short reads).
/// Throws Error(bad_data) at end of file, Error(io_error) otherwise. Thread-safe.
void read_exactly(const FileDescriptor& file, std::span<std::byte> bytes, std::size_t offset,
                  const std::string& path);

/// Writes all of `bytes` at `offset` (pwrite). Throws Error(io_error). Thread-safe.
void write_exactly(const FileDescriptor& file, std::span<const std::byte> bytes, std::size_t offset,
                   const std::string& path);

/// A whole small file as text; at most `max_bytes`, else Error(bad_data).
std::string read_text_file(const std::string& path, std::size_t max_bytes = std::size_t{64} << 20);

/// Flushes a file's or a directory's content to the device. Throws Error(io_error); after a failed
/// fsync the file must be dropped, never retried (its pages are already marked clean).
void sync_file(const FileDescriptor& file, const std::string& path);
void sync_path(const std::string& path);
void sync_directory(const std::string& directory);

/// Creates the directory and its missing parents (mode 0777 & ~umask) and syncs each parent.
/// Nothing to do if it exists. Throws Error(cannot_create) or Error(permission).
void make_directories(const std::string& directory);

/// `HOST.PID.NONCE`, different on every call: the name of temporaries.
std::string unique_name();

/// Whether a file is synced when it is written, or by the caller with sync_path() when many files
/// are: the device then takes them together.
enum class SyncTime { now, later };

/// Creates `path` (an error if it exists, links are not followed), writes `text`, syncs, closes.
/// The directory is not synced. The file is removed again when a step fails.
void create_text_file(const std::string& path, std::string_view text,
                      SyncTime sync_time = SyncTime::now);

/// Writes `text` to a unique name beside `path`, syncs, closes, renames over `path` and syncs the
/// directory: `path` holds either its old content or all of `text`, whatever happens. The
/// temporary is removed on failure. Throws Error(cannot_create) if `path` is no regular file.
void publish_text_file(const std::string& path, std::string_view text);

/// Renames and syncs the target's directory.
void rename_durably(const std::string& from, const std::string& to);

}  // namespace sluice
