#include "core/error.hpp"
#include "core/path_status.hpp"
#include "core/text.hpp"
#include "queue/fsck_parts.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace sluice::queue {
namespace {

enum class Expected { file, order_entry, draft, directory, anything };

class Walker {
  public:
    Walker(const std::string& queue_directory, FsckReport& report)
        : queue_directory_(queue_directory), report_(report) {}

    void walk();

  private:
    void examine_root();
    void examine_folder(std::string_view name);
    void examine_batch(const std::string& path);
    void examine_children(const std::string& directory, Expected expected);
    void examine(const std::string& path, Expected expected);
    void examine_names(const std::string& path, const struct stat& status, Expected expected);
    std::int64_t drafts_of(const struct stat& status) const;
    void distrust(const std::string& path, const std::string& what);

    std::string queue_directory_;
    FsckReport& report_;
};

// Nothing if it is gone: files come and go while workers are active.
std::optional<struct stat> examined(const std::string& path) {
    return path_status(path, Links::keep);
}

bool is_real_directory(const std::string& path) {
    const auto status = examined(path);
    return status && S_ISDIR(status->st_mode);
}

const char* kind_of(const struct stat& status) {
    if (S_ISLNK(status.st_mode)) return "a symbolic link";
    if (S_ISDIR(status.st_mode)) return "a directory";
    if (S_ISREG(status.st_mode)) return "a regular file";
    return "a pipe, socket or device";
}

bool is_expected(const struct stat& status, Expected expected) {
    const bool directory = S_ISDIR(status.st_mode);
    if (expected == Expected::directory) return directory;
    if (expected == Expected::anything || expected == Expected::draft) {
        return directory || S_ISREG(status.st_mode);
    }
    return S_ISREG(status.st_mode);
}

void Walker::walk() {
    examine_root();
    for (const std::string_view name : folder::all)
        examine_folder(name);
}

void Walker::examine_root() {
    struct stat status {};
    if (::stat(queue_directory_.c_str(), &status) != 0) {
        throw system_error(queue_directory_, "cannot examine", errno);
    }
    require(status.st_uid == ::geteuid(), ExitCode::permission,
            fmt::format("{}: belongs to user {}, not to you ({}); let its owner examine it",
                        queue_directory_, status.st_uid, ::geteuid()));
    if ((status.st_mode & S_IWOTH) != 0) {
        distrust(queue_directory_, "everybody may write to it; run: chmod o-w " + queue_directory_);
    }
    for (const std::string& name : list_directory(queue_directory_)) {
        if (std::ranges::count(folder::all, name) > 0) continue;
        examine(join(queue_directory_, name), Expected::anything);
        if (name != format_file) {
            report_.notes.push_back(printable(name) + ": not a part of a queue");
        }
    }
}

void Walker::examine_folder(std::string_view name) {
    const std::string path = join(queue_directory_, name);
    if (!exists(path)) {
        create_folder(path);
        report_.repairs.push_back("made the missing folder " + std::string(name) + "/");
    }
    examine(path, Expected::directory);
    if (!is_real_directory(path)) return;
    if (name == folder::batches) {
        examine_children(path, Expected::directory);
        for (const std::string& batch : list_directory(path))
            examine_batch(join(path, batch));
    } else if (name == folder::order) {
        examine_children(path, Expected::order_entry);
    } else {
        examine_children(path, name == folder::tmp ? Expected::draft : Expected::file);
    }
}

void Walker::examine_batch(const std::string& path) {
    if (!is_real_directory(path)) return;
    for (const std::string& name : list_directory(path)) {
        const bool folder = name == batch_file::tickets || name == batch_file::tokens;
        const std::string child = join(path, name);
        examine(child, folder ? Expected::directory : Expected::file);
        if (folder && is_real_directory(child)) examine_children(child, Expected::file);
    }
}

void Walker::examine_children(const std::string& directory, Expected expected) {
    for (const std::string& name : list_directory(directory))
        examine(join(directory, name), expected);
}

void Walker::examine(const std::string& path, Expected expected) {
    const auto status = examined(path);
    if (!status) return;
    if (!is_expected(*status, expected)) {
        return distrust(path, fmt::format("{} where sluice makes none; remove it, having seen who "
                                          "put it there",
                                          kind_of(*status)));
    }
    if (status->st_uid != ::geteuid()) {
        distrust(path, fmt::format("belongs to user {}, not to you ({}); remove it, having seen "
                                   "who put it there",
                                   status->st_uid, ::geteuid()));
    }
    if ((status->st_mode & S_IWOTH) != 0) {
        distrust(path, "everybody may write to it; run: chmod o-w " + printable(path));
    }
    if (S_ISREG(status->st_mode)) examine_names(path, *status, expected);
}

// Order entries are made by link(2): their draft in tmp/ is their second name for a moment, or
// until the leftovers of a killed process are cleared away.
void Walker::examine_names(const std::string& path, const struct stat& status, Expected expected) {
    if (status.st_nlink <= 1 || expected == Expected::draft) return;
    if (expected == Expected::order_entry) {
        const std::int64_t drafts = drafts_of(status);
        const auto now = examined(path);
        if (!now || static_cast<std::int64_t>(now->st_nlink) <= 1 + drafts) return;
    }
    distrust(path, fmt::format("has {} names (hard links), so it may change from elsewhere; copy "
                               "it to a new file and rename that to its place",
                               status.st_nlink));
}

std::int64_t Walker::drafts_of(const struct stat& status) const {
    const std::string tmp = join(queue_directory_, folder::tmp);
    std::int64_t count = 0;
    for (const std::string& name : list_directory(tmp)) {
        const auto draft = examined(join(tmp, name));
        if (draft && draft->st_ino == status.st_ino && draft->st_dev == status.st_dev) ++count;
    }
    return count;
}

void Walker::distrust(const std::string& path, const std::string& what) {
    report_.problems.push_back(printable(path) + ": " + what);
    ++report_.untrusted;
}

}  // namespace

void examine_entries(const std::string& queue_directory, FsckReport& report) {
    Walker(queue_directory, report).walk();
}

}  // namespace sluice::queue
