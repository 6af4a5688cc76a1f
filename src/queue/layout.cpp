#include "queue/layout.hpp"

#include "core/path_status.hpp"
#include "core/text.hpp"
#include "core/trouble.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <span>

namespace sluice::queue {
namespace {

constexpr std::string_view format_name = "sluice-queue";
constexpr int format_version = 1;
constexpr std::size_t number_digits = 6;

struct stat examine(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) throw system_error(path, "cannot examine", errno);
    return status;
}

// Whoever may write here could plant tickets that workers run under this user's name.
void require_trusted(const std::string& directory, const struct stat& status) {
    require(S_ISDIR(status.st_mode), ExitCode::permission,
            directory + ": not a directory (links are not followed inside a queue); remove it");
    require(
        status.st_uid == ::geteuid(), ExitCode::permission,
        fmt::format("{}: belongs to user {}, not to you ({}); use a queue directory of your own",
                    directory, status.st_uid, ::geteuid()));
    require((status.st_mode & S_IWOTH) == 0, ExitCode::permission,
            fmt::format("{}: everybody may write to it (mode {:o}); run: chmod o-w {}", directory,
                        status.st_mode & 07777U, directory));
}

void require_own(const std::string& path, const struct stat& status) {
    require(S_ISREG(status.st_mode) && status.st_uid == ::geteuid(), ExitCode::permission,
            path +
                ": not a regular file of yours (links are not followed inside a queue); "
                "remove it if you did not put it there");
}

// The queue itself may be reached through a link: whoever names it means where it leads.
void require_trusted_directory(const std::string& directory) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) {
        throw system_error(directory, "cannot examine", errno);
    }
    require_trusted(directory, status);
}

void check_format(const std::string& path) {
    const auto json = nlohmann::json::parse(read_own_file(path), nullptr, false);
    require(json.is_object() && json.value("format", "") == format_name, ExitCode::bad_data,
            path + ": not the format file of a queue; give another --queue directory");
    const auto found = json.find("format_version");
    const bool known = found != json.end() && *found == format_version;
    require(known, ExitCode::bad_data,
            fmt::format("{}: format_version {} is not the {} this version reads; use the version "
                        "that made the queue",
                        path, found == json.end() ? "missing" : found->dump(), format_version));
}

// A directory with other things in it is more likely a mistyped name than a queue to be.
void create_format(const std::string& directory, const std::string& format_path) {
    for (const std::string& name : list_directory(directory)) {
        if (name.rfind(".sluice-", 0) == 0) continue;               // left by a killed first run
        if (exists(format_path)) return check_format(format_path);  // another process was first
        throw Error(ExitCode::cannot_create,
                    fmt::format("{}: not empty and not a queue (it holds '{}'); give a new or "
                                "empty directory",
                                directory, printable(name)));
    }
    const nlohmann::ordered_json format = {{"format", format_name},
                                           {"format_version", format_version}};
    publish_text_file(format_path, format.dump() + "\n");
}

}  // namespace

std::string join(const std::string& directory, std::string_view name) {
    return fmt::format("{}/{}", directory, name);
}

std::string number_name(std::int64_t number) {
    return fmt::format("{:0{}}", number, number_digits);
}

std::int64_t number_of_name(std::string_view name) {
    std::int64_t number = 0;
    const auto result = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool whole = result.ec == std::errc() && result.ptr == name.data() + name.size();
    return whole && name.size() >= number_digits && number > 0 ? number : 0;
}

bool is_plain_name(std::string_view name) {
    const auto is_plain = [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    };
    return !name.empty() && name.size() <= 255 && name[0] != '.' &&
           std::all_of(name.begin(), name.end(), is_plain);
}

bool exists(const std::string& path) {
    return path_status(path, Links::keep).has_value();
}

void create_folder(const std::string& path) {
    if (::mkdir(path.c_str(), 0775) == 0 || errno == EEXIST) return;
    throw system_error(path, "cannot create the directory", errno);
}

void pass_over(const Error& error) {
    const bool is_of_content = error.code() == ExitCode::bad_data ||
                               error.code() == ExitCode::permission ||
                               error.code() == ExitCode::no_input;
    if (!is_of_content) throw Error(error);
    const bool is_refused = error.code() == ExitCode::permission && error.error_number() != 0;
    if (is_refused) note_trouble(error);
}

FileDescriptor open_own_file(const std::string& path) {
    require_own(path, examine(path));  // before opening, so that a FIFO does not block
    FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), path);
    if (!file.valid()) throw system_error(path, "cannot open", errno);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw system_error(path, "cannot examine", errno);
    require_own(path, status);
    return file;
}

std::string read_own_file(const std::string& path, std::size_t max_bytes) {
    const FileDescriptor file = open_own_file(path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw system_error(path, "cannot examine", errno);
    const auto num_bytes = static_cast<std::size_t>(status.st_size);
    require(num_bytes <= max_bytes, ExitCode::bad_data,
            fmt::format("{}: {} bytes are more than the {} allowed; the file is damaged", path,
                        num_bytes, max_bytes));
    std::string text(num_bytes, '\0');
    read_exactly(file, std::as_writable_bytes(std::span(text)), 0, path);
    return text;
}

bool move_entry(const std::string& from, const std::string& to) {
    int result = ::rename(from.c_str(), to.c_str());
    while (result != 0 && errno == EINTR)
        result = ::rename(from.c_str(), to.c_str());
    if (result == 0) return true;
    const int rename_error = errno;
    require(rename_error != EXDEV, ExitCode::io_error,
            fmt::format("{}: cannot rename {} to it: they are on different file systems; keep all "
                        "folders of a queue on one file system (on Lustre: in one project)",
                        to, from));
    if (exists(to)) return true;
    // Of a rename that somebody else did, a network file system may still show the old name.
    const std::string target_folder = std::filesystem::path(to).parent_path().string();
    const bool was_gone = rename_error == ENOENT || rename_error == ESTALE || !exists(from);
    if (was_gone && exists(target_folder)) return false;
    throw system_error(to, "cannot rename " + from + " to it", rename_error);
}

void open_layout(const std::string& directory) {
    if (!exists(directory)) {
        const std::string parent = std::filesystem::path(directory).parent_path().string();
        make_directories(parent);
        create_folder(directory);
        sync_directory(parent.empty() ? "." : parent);
    }
    require_trusted_directory(directory);
    const std::string format_path = join(directory, format_file);
    if (exists(format_path)) {
        check_format(format_path);
    } else {
        create_format(directory, format_path);
    }
    for (const std::string_view name : folder::all) {
        const std::string path = join(directory, name);
        if (!exists(path)) create_folder(path);
        require_trusted(path, examine(path));
    }
}

void require_queue(const std::string& directory) {
    const std::string format_path = join(directory, format_file);
    require(exists(format_path), ExitCode::no_input,
            format_path +
                ": missing, so this is no queue; give the directory that a selection was "
                "published in");
    require_trusted_directory(directory);
    check_format(format_path);
    for (const std::string_view name : folder::all) {
        const std::string path = join(directory, name);
        if (exists(path)) require_trusted(path, examine(path));
    }
}

}  // namespace sluice::queue
