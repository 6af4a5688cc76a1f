#include "labels/labels_directory.hpp"

#include "core/directory.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/path_status.hpp"
#include "core/process_place.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>

namespace sluice::labels {
namespace {

constexpr std::string_view temporary_prefix = ".sluice-";
constexpr std::string_view temporary_suffix = ".tmp";
constexpr std::string_view generation_prefix = "labels.g";
constexpr std::string_view generation_suffix = ".h5";
constexpr std::size_t compared_bytes = std::size_t{1} << 20;

std::optional<std::int64_t> number_in(std::string_view digits) {
    std::int64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, number);
    if (result.ec != std::errc() || result.ptr != end || number <= 0) return std::nullopt;
    return number;
}

// `.sluice-MARK-PROCESS-UNIQUE.tmp`
std::string temporary_path(const std::string& directory) {
    return fmt::format("{}/{}{}-{}-{}{}", directory, temporary_prefix, process_mark(), ::getpid(),
                       unique_name(), temporary_suffix);
}

bool is_left_over(std::string_view name) {
    if (!name.starts_with(temporary_prefix) || !name.ends_with(temporary_suffix)) return false;
    name.remove_prefix(temporary_prefix.size());
    const std::size_t mark_end = name.find('-');
    if (mark_end == std::string_view::npos) return false;
    const std::string mark(name.substr(0, mark_end));
    name.remove_prefix(mark_end + 1);
    const auto process = number_in(name.substr(0, name.find('-')));
    return process && process_is_gone(mark, *process);
}

void remove_leftovers(const std::string& directory) {
    for (const std::string& name : list_directory(directory)) {
        if (is_left_over(name)) clear_away(queue::join(directory, name));
    }
}

// Whoever may write there decides what models are trained on.
void require_trusted(const std::string& directory) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) != 0) {
        throw system_error(directory, "cannot examine", errno);
    }
    require(S_ISDIR(status.st_mode), ExitCode::cannot_create,
            directory + ": not a directory; give another --labels directory");
    require(
        status.st_uid == ::geteuid(), ExitCode::permission,
        fmt::format("{}: belongs to user {}, not to you ({}); use a labels directory of your own",
                    directory, status.st_uid, ::geteuid()));
    require((status.st_mode & S_IWOTH) == 0, ExitCode::permission,
            fmt::format("{}: everybody may write to it (mode {:o}); run: chmod o-w {}", directory,
                        status.st_mode & 07777U, directory));
}

std::string_view as_text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Through a new descriptor, as any reader will see it.
void require_written(const std::string& path, std::span<const std::byte> bytes) {
    const FileDescriptor file = open_for_reading(path);
    std::vector<std::byte> block(compared_bytes);
    for (std::size_t offset = 0; offset < bytes.size(); offset += block.size()) {
        block.resize(std::min(compared_bytes, bytes.size() - offset));
        read_exactly(file, block, offset, path);
        require(std::memcmp(block.data(), bytes.data() + offset, block.size()) == 0,
                ExitCode::io_error,
                fmt::format("{}: reads back differently near byte {}; check the file system", path,
                            offset));
    }
}

// Over NFS a link that was made may be reported as failed: what counts is which file stands there.
bool is_same_file(const std::string& path, const std::string& other) {
    const auto status = path_status(path, Links::keep);
    const auto other_status = path_status(other, Links::keep);
    return status && other_status && status->st_dev == other_status->st_dev &&
           status->st_ino == other_status->st_ino;
}

}  // namespace

void open_labels_directory(const std::string& directory) {
    require(!directory.empty(), ExitCode::usage, "--labels: empty; give a directory");
    if (!queue::exists(directory)) {
        std::string parent = directory.substr(0, directory.find_last_of('/') + 1);
        make_directories(parent);
        queue::create_folder(directory);  // never writable by everybody
        sync_directory(parent.empty() ? "." : parent);
    }
    require_trusted(directory);
    remove_leftovers(directory);
}

std::vector<std::int64_t> generation_numbers(const std::string& directory) {
    std::vector<std::int64_t> numbers;
    for (const std::string& name : list_directory(directory)) {
        std::string_view digits = name;
        if (!digits.starts_with(generation_prefix) || !digits.ends_with(generation_suffix)) {
            continue;
        }
        digits.remove_prefix(generation_prefix.size());
        digits.remove_suffix(generation_suffix.size());
        const auto number = number_in(digits);
        if (number && generation_name(*number) == name) numbers.push_back(*number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

std::string generation_name(std::int64_t number) {
    return fmt::format("{}{:04}{}", generation_prefix, number, generation_suffix);
}

std::string conflicts_name(std::int64_t number) {
    return fmt::format("conflicts.g{:04}.jsonl", number);
}

std::string write_temporary(const std::string& directory, std::span<const std::byte> bytes) {
    std::string path = temporary_path(directory);
    create_text_file(path, as_text(bytes));
    try {
        require_written(path, bytes);
    } catch (...) {
        clear_away(path);
        throw;
    }
    return path;
}

void publish_exclusively(const std::string& temporary, const std::string& directory,
                         std::string_view name) {
    const std::string path = queue::join(directory, name);
    const int link_error = ::link(temporary.c_str(), path.c_str()) == 0 ? 0 : errno;
    bool ours = link_error == 0;
    try {
        ours = ours || is_same_file(temporary, path);
    } catch (...) {
        clear_away(temporary);
        throw;
    }
    clear_away(temporary);
    if (!ours && link_error != EEXIST) {
        throw system_error(path, "cannot link (hard links are needed)", link_error);
    }
    require(ours, ExitCode::try_again,
            path +
                ": another ingest published this generation meanwhile; run the same command "
                "again");
    sync_directory(directory);
}

void publish_text(const std::string& directory, std::string_view name, std::string_view text) {
    const std::string temporary = write_temporary(directory, std::as_bytes(std::span(text)));
    try {
        rename_durably(temporary, queue::join(directory, name));
    } catch (...) {
        clear_away(temporary);
        throw;
    }
}

}  // namespace sluice::labels
