#include "core/durable_file.hpp"

#include "core/directory.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "core/temporary_name.hpp"
#include "core/trouble.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <utility>

namespace sluice {
namespace {

// A call that a signal interrupted has done nothing yet and is repeated.
template <typename Call>
auto retry_interrupted(Call call) {
    auto result = call();
    while (result < 0 && errno == EINTR)
        result = call();
    return result;
}

// When an output cannot be made, a missing parent is no missing input.
Error creation_error(const std::string& path, const std::string& action, int error_number) {
    switch (error_number) {
        case ENOENT:
        case ENOTDIR:
        case EEXIST:
        case EISDIR:
        case ELOOP:
        case ENAMETOOLONG: {
            const Error error = system_error(path, action, error_number);
            return {ExitCode::cannot_create, error.what()};
        }
        default:
            return system_error(path, action, error_number);
    }
}

std::string directory_of(const std::string& path) {
    const std::size_t slash = path.find_last_of('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

// What stands where an output is to be made.
std::optional<struct stat> status_of_output(const std::string& path) {
    try {
        return path_status(path, Links::follow);
    } catch (const Error& error) {
        throw creation_error(path, "cannot examine", error.error_number());
    }
}

bool is_there(const std::string& directory) {
    const auto status = status_of_output(directory);
    return status && S_ISDIR(status->st_mode);
}

void require_regular(const struct stat& status, const std::string& path) {
    if (S_ISREG(status.st_mode)) return;
    const char* kind = S_ISDIR(status.st_mode) ? "a directory" : "a device, pipe or socket";
    throw Error(ExitCode::no_input,
                path + ": not a regular file (" + kind + "); give the name of a file");
}

// Renaming over a device (/dev/stdout) would replace it for every process of the machine.
void require_replaceable(const std::string& path) {
    const auto status = status_of_output(path);
    if (!status || S_ISREG(status->st_mode)) return;
    throw Error(ExitCode::cannot_create,
                path + ": exists and is not a regular file; choose another name");
}

FileDescriptor open_checked(const std::string& path, int flags, const char* action) {
    const int descriptor =
        retry_interrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC); });
    if (descriptor < 0) throw system_error(path, action, errno);
    return {descriptor, path};
}

// `final_path` is what the user knows the file by.
FileDescriptor create_exclusively(const std::string& path, const std::string& final_path) {
    const int descriptor = retry_interrupted([&] {
        return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
    });
    if (descriptor < 0) throw creation_error(final_path, "cannot create", errno);
    return {descriptor, final_path};
}

// Removes a file of ours on the way out unless it has become what it should be.
class Temporary {
  public:
    explicit Temporary(std::string path) : path_(std::move(path)) {}
    ~Temporary() {
        if (!path_.empty()) clear_away(path_);
    }
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;

    void release() { path_.clear(); }

  private:
    std::string path_;
};

// The file is there with all of `text`, or not at all unless the process is killed.
void write_durably(const std::string& path, const std::string& final_path, std::string_view text,
                   SyncTime sync_time) {
    FileDescriptor file = create_exclusively(path, final_path);
    Temporary incomplete(path);
    write_exactly(file, std::as_bytes(std::span(text)), 0, final_path);
    if (sync_time == SyncTime::now) sync_file(file, final_path);
    file.close();
    incomplete.release();
}

void create_directory(const std::string& directory) {
    if (::mkdir(directory.c_str(), 0777) == 0) {
        sync_directory(directory_of(directory));
        return;
    }
    const int error_number = errno;
    if (error_number == EEXIST && is_there(directory)) return;  // another process was first
    throw creation_error(directory, "cannot create the directory", error_number);
}

}  // namespace

FileDescriptor::~FileDescriptor() {
    const int error_before = errno;
    if (const int error_number = close_now()) note_trouble(path_, "cannot close", error_number);
    errno = error_before;
}

FileDescriptor::FileDescriptor(FileDescriptor&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
    FileDescriptor taken(std::move(other));
    std::swap(descriptor_, taken.descriptor_);
    std::swap(path_, taken.path_);
    return *this;
}

void FileDescriptor::close() {
    if (const int error_number = close_now()) {
        throw system_error(path_, "cannot close", error_number);
    }
}

// errno if it fails. Linux frees the descriptor all the same, so it is never closed twice.
int FileDescriptor::close_now() noexcept {
    if (!valid()) return 0;
    const int result = ::close(std::exchange(descriptor_, -1));
    return result != 0 && errno != EINTR ? errno : 0;
}

FileDescriptor open_for_reading(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) throw system_error(path, "cannot open", errno);
    require_regular(status, path);
    // Not blocking, in case the file was replaced by a FIFO in between; no effect on a file.
    FileDescriptor file = open_checked(path, O_RDONLY | O_NONBLOCK, "cannot open");
    if (::fstat(file.get(), &status) != 0) throw system_error(path, "cannot examine", errno);
    require_regular(status, path);
    return file;
}

void read_exactly(const FileDescriptor& file, std::span<std::byte> bytes, std::size_t offset,
                  const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t count = retry_interrupted([&] {
            return ::pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        });
        if (count < 0) throw system_error(path, "cannot read", errno);
        require(count > 0, ExitCode::bad_data,
                fmt::format("{}: ends at byte {} where {} more were expected; the file is "
                            "truncated, copy it again",
                            path, offset, bytes.size()));
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::size_t>(count);
    }
}

void write_exactly(const FileDescriptor& file, std::span<const std::byte> bytes, std::size_t offset,
                   const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t count = retry_interrupted([&] {
            return ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        });
        if (count <= 0) throw system_error(path, "cannot write", count == 0 ? ENOSPC : errno);
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::size_t>(count);
    }
}

std::string read_text_file(const std::string& path, std::size_t max_bytes) {
    const FileDescriptor file = open_for_reading(path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw system_error(path, "cannot examine", errno);
    const auto num_bytes = static_cast<std::size_t>(status.st_size);
    require(num_bytes <= max_bytes, ExitCode::bad_data,
            fmt::format("{}: {} bytes are more than the {} allowed; is this the right file?", path,
                        num_bytes, max_bytes));
    std::string text(num_bytes, '\0');
    read_exactly(file, std::as_writable_bytes(std::span(text)), 0, path);
    return text;
}

void sync_file(const FileDescriptor& file, const std::string& path) {
    if (retry_interrupted([&] { return ::fsync(file.get()); }) != 0) {
        throw system_error(path, "cannot flush to the device", errno);
    }
}

void sync_path(const std::string& path) {
    FileDescriptor file = open_checked(path, O_RDONLY | O_NOFOLLOW, "cannot open to flush");
    sync_file(file, path);
    file.close();
}

void sync_directory(const std::string& directory) {
    FileDescriptor file =
        open_checked(directory, O_RDONLY | O_DIRECTORY, "cannot open the directory to flush");
    const int result = retry_interrupted([&] { return ::fsync(file.get()); });
    // Some network file systems have no flush of directories: their names are durable at once.
    if (result != 0 && errno != EINVAL && errno != ENOTSUP) {
        throw system_error(directory, "cannot flush the directory", errno);
    }
    file.close();
}

void make_directories(const std::string& directory) {
    if (directory.empty() || is_there(directory)) return;
    std::string stripped = directory;
    while (stripped.size() > 1 && stripped.back() == '/')
        stripped.pop_back();
    const std::string parent = directory_of(stripped);
    if (parent != stripped) make_directories(parent);
    create_directory(stripped);
}

std::string unique_name() {
    std::array<char, 256> host{};
    if (::gethostname(host.data(), host.size() - 1) != 0) {
        throw system_error("gethostname", "cannot get the name of this machine", errno);
    }
    std::string name(host.data());
    const auto is_unsafe = [](unsigned char c) { return std::isalnum(c) == 0 && c != '-'; };
    // Up to the first dot: the parts are separated by dots, and the domain is the same anyway.
    name.resize(std::min({name.find('.'), name.size(), std::size_t{63}}));
    std::replace_if(name.begin(), name.end(), is_unsafe, '-');
    std::uint64_t nonce = 0;
    if (::getrandom(&nonce, sizeof nonce, 0) != static_cast<ssize_t>(sizeof nonce)) {
        throw system_error("getrandom", "cannot get random bytes", errno);
    }
    return fmt::format("{}.{}.{:016x}", name, ::getpid(), nonce);
}

void create_text_file(const std::string& path, std::string_view text, SyncTime sync_time) {
    write_durably(path, path, text, sync_time);
}

void publish_text_file(const std::string& path, std::string_view text) {
    require_replaceable(path);
    const std::string unnamed = directory_of(path) + "/" + temporary_name();
    write_durably(unnamed, path, text, SyncTime::now);
    Temporary temporary(unnamed);
    rename_durably(unnamed, path);
    temporary.release();
}

void rename_durably(const std::string& from, const std::string& to) {
    if (retry_interrupted([&] { return ::rename(from.c_str(), to.c_str()); }) != 0) {
        throw creation_error(to, "cannot rename " + from + " to it", errno);
    }
    sync_directory(directory_of(to));
}

}  // namespace sluice
