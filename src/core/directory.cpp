#include "core/directory.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/trouble.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <string_view>
#include <thread>
#include <utility>

namespace sluice {
namespace {

// An open directory. Its stream owns the descriptor.
class Directory {
  public:
    Directory(int descriptor, const std::string& path);
    ~Directory();
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;

    int descriptor() const { return ::dirfd(stream_); }
    std::vector<std::string> names();

  private:
    std::string path_;
    DIR* stream_;
};

Directory::Directory(int descriptor, const std::string& path)
    : path_(path), stream_(::fdopendir(descriptor)) {
    if (stream_ != nullptr) return;
    const int error_number = errno;
    ::close(descriptor);
    throw system_error(path, "cannot list", error_number);
}

Directory::~Directory() {
    if (::closedir(stream_) != 0 && errno != EINTR) note_trouble(path_, "cannot close", errno);
}

std::vector<std::string> Directory::names() {
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream_)) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
        errno = 0;
    }
    if (errno != 0) throw system_error(path_, "cannot list", errno);
    return names;
}

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
// A process that was just killed may still make a file.
constexpr int max_passes = 10;
constexpr std::chrono::milliseconds pause_between_passes{10};

bool is_gone(int error_number) {
    return error_number == ENOENT || error_number == ESTALE;
}

// True if it is gone, which is what was wanted.
bool note_unless_gone(const std::string& path, int error_number) {
    if (is_gone(error_number)) return true;
    note_trouble(path, "cannot remove", error_number);
    return false;
}

// Entries go by the descriptor of their folder, so that nothing that changes meanwhile leads
// elsewhere. True if nothing is left.
bool remove_entry(int folder, const std::string& name, const std::string& path);

bool empty_directory(int folder, const std::string& name, const std::string& path) {
    const int descriptor = ::openat(folder, name.c_str(), directory_flags);
    if (descriptor < 0) return note_unless_gone(path, errno);
    Directory directory(descriptor, path);
    bool emptied = true;
    for (const std::string& child : directory.names()) {
        emptied = remove_entry(directory.descriptor(), child, path + "/" + child) && emptied;
    }
    return emptied;
}

bool remove_directory(int folder, const std::string& name, const std::string& path) {
    for (int pass = 1;; ++pass) {
        const bool emptied = empty_directory(folder, name, path);
        if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0) return true;
        const bool is_refilled = emptied && (errno == ENOTEMPTY || errno == EEXIST);
        if (!is_refilled || pass == max_passes) return note_unless_gone(path, errno);
        std::this_thread::sleep_for(pause_between_passes);
    }
}

bool remove_entry(int folder, const std::string& name, const std::string& path) {
    struct stat status {};
    if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return note_unless_gone(path, errno);
    }
    if (!S_ISDIR(status.st_mode)) {
        return ::unlinkat(folder, name.c_str(), 0) == 0 || note_unless_gone(path, errno);
    }
    // An oracle may have closed its own folders; their owner may open them again.
    const bool is_closed = (status.st_mode & S_IRWXU) != S_IRWXU;
    if (is_closed && ::fchmodat(folder, name.c_str(), S_IRWXU, 0) != 0) {
        return note_unless_gone(path, errno);
    }
    return remove_directory(folder, name, path);
}

}  // namespace

std::vector<std::string> list_directory(const std::string& directory) {
    const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT) return {};
    if (descriptor < 0) throw system_error(directory, "cannot list", errno);
    std::vector<std::string> names = Directory(descriptor, directory).names();
    std::sort(names.begin(), names.end());
    return names;
}

void clear_away(const std::string& path) noexcept {
    try {
        remove_entry(AT_FDCWD, path, path);
    } catch (const Error& error) {
        note_trouble(error);
    } catch (const std::exception&) {
        note_trouble(path, "cannot remove", ENOMEM);
    }
}

}  // namespace sluice
