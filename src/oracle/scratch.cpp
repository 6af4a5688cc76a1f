#include "oracle/scratch.hpp"

#include "core/directory.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/path_status.hpp"
#include "core/proc_file.hpp"
#include "core/process_place.hpp"
#include "core/trouble.hpp"
#include "oracle/judge.hpp"
#include "queue/layout.hpp"

#include <fmt/format.h>

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>

namespace sluice::oracle {
namespace {

constexpr std::string_view failed_prefix = "failed-";
constexpr int max_looks_at_leader = 50;
constexpr std::chrono::milliseconds look_pause{10};

std::string usual_parent() {
    const char* variable = std::getenv("TMPDIR");
    return variable != nullptr && *variable != '\0' ? variable : "/tmp";
}

struct stat examine(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) throw system_error(path, "cannot use", errno);
    return status;
}

// Where everybody may rename what is ours, oracles could be fed with files of others.
void require_trusted_parent(const std::string& parent) {
    const struct stat status = examine(parent);
    require(S_ISDIR(status.st_mode), ExitCode::no_input,
            parent + ": not a directory; give another --scratch");
    require((status.st_mode & S_IWOTH) == 0 || (status.st_mode & S_ISVTX) != 0,
            ExitCode::permission,
            fmt::format("{}: everybody may rename files there (mode {:o}); run: chmod +t {}, or "
                        "give another --scratch",
                        parent, status.st_mode & 07777U, parent));
}

bool is_own_directory(const std::string& path) {
    const auto status = path_status(path, Links::keep);
    return status && S_ISDIR(status->st_mode) && status->st_uid == ::geteuid();
}

// 0 if it is none.
std::int64_t number_in(std::string_view digits) {
    std::int64_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto result = std::from_chars(digits.data(), end, number);
    return result.ec == std::errc() && result.ptr == end ? number : 0;
}

// What the scratch directories of this user's workers have in common.
std::string base_prefix() {
    return fmt::format("sluice-{}-", ::geteuid());
}

// `sluice-UID-MARK-PROCESS-XXXXXX`
bool maker_is_gone(std::string_view name) {
    name.remove_prefix(base_prefix().size());
    const std::string mark(name.substr(0, name.find('-')));
    name.remove_prefix(std::min(mark.size() + 1, name.size()));
    return process_is_gone(mark, number_in(name.substr(0, name.find('-'))));
}

std::string create_base(const std::string& parent) {
    std::string path =
        std::filesystem::absolute(
            fmt::format("{}/{}{}-{}-XXXXXX", parent, base_prefix(), process_mark(), ::getpid()))
            .lexically_normal()
            .string();
    if (::mkdtemp(path.data()) == nullptr) {
        throw system_error(parent, "cannot create a scratch directory", errno);
    }
    require(is_own_directory(path), ExitCode::permission,
            path + ": not a directory of yours a moment after it was made; give another --scratch");
    return path;
}

// Whether the leader of its group has ended. That of an oracle dies with its worker, or a moment
// later.
bool has_lost_leader(std::int64_t process) {
    const std::int64_t leader = number_in(proc_stat_field(process, 5));
    if (leader <= 1 || leader == process) return false;
    for (int look = 1; look <= max_looks_at_leader; ++look) {
        const std::string state = proc_stat_field(leader, 3);
        if (state.empty() || state == "Z") return true;
        std::this_thread::sleep_for(look_pause);
    }
    return false;
}

// Ends what the oracle of a killed worker left running: in its directory, in a group without its
// leader. A shell that somebody has opened there leads a group of its own.
void end_processes_in(const std::string& directory) {
    if (!proc_is_of_here()) return;
    std::error_code unknown;
    const std::string place = std::filesystem::canonical(directory, unknown).string();
    if (unknown == std::errc::no_such_file_or_directory) return;
    if (unknown) throw system_error(directory, "cannot examine", unknown.value());
    for (const std::string& name : list_directory("/proc")) {
        const std::int64_t process = number_in(name);
        if (process <= 1) continue;
        const auto cwd = std::filesystem::read_symlink("/proc/" + name + "/cwd", unknown);
        if (unknown || !queue::join(cwd.string(), "").starts_with(queue::join(place, ""))) continue;
        if (has_lost_leader(process)) ::kill(static_cast<pid_t>(process), SIGKILL);
    }
}

// A worker that was killed could not clear up. What it kept of failures stays.
void clear_up_after(const std::string& base) {
    bool keeps_some = false;
    try {
        for (const std::string& name : list_directory(base)) {
            const bool is_kept = name.starts_with(failed_prefix);
            if (!is_kept) {
                end_processes_in(queue::join(base, name));
                clear_away(queue::join(base, name));
            }
            keeps_some = keeps_some || is_kept;
        }
        if (!keeps_some) clear_away(base);
    } catch (const Error& error) {
        note_trouble(error);
    }
}

void clear_up_after_the_dead(const std::string& parent) {
    if (::access(parent.c_str(), R_OK) != 0) {
        if (errno == EACCES) return;  // some may be used but not listed
        throw system_error(parent, "cannot examine", errno);
    }
    const std::string prefix = base_prefix();
    for (const std::string& name : list_directory(parent)) {
        const std::string base = queue::join(parent, name);
        const bool is_ours = name.starts_with(prefix) && is_own_directory(base);
        if (is_ours && maker_is_gone(name)) clear_up_after(base);
    }
}

std::string host_name() {
    std::array<char, 256> host{};
    return ::gethostname(host.data(), host.size() - 1) == 0 ? host.data() : "unknown";
}

}  // namespace

Scratch::Scratch(const std::string& parent, int keep_failed) : keep_failed_(keep_failed) {
    const std::string place = parent.empty() ? usual_parent() : parent;
    require_trusted_parent(place);
    clear_up_after_the_dead(place);
    base_ = create_base(place);
}

Scratch::~Scratch() {
    if (kept_.empty()) {
        clear_away(base_);
    } else {
        log_info(fmt::format("scratch directories of the last {} failures are kept in {}",
                             kept_.size(), base_));
    }
}

std::string Scratch::create() {
    const std::string path = fmt::format("{}/{}", base_, ++num_created_);
    if (::mkdir(path.c_str(), 0700) != 0) {
        throw system_error(path, "cannot create a scratch directory", errno);
    }
    return path;
}

std::string Scratch::keep(const std::string& directory) {
    if (keep_failed_ == 0) {
        clear_away(directory);
        return "";
    }
    const std::string place = fmt::format("{}/{}{}", base_, failed_prefix, ++num_kept_);
    if (::rename(directory.c_str(), place.c_str()) != 0) {
        note_trouble(directory, "cannot rename to keep it", errno);
        clear_away(directory);
        return "";
    }
    kept_.push_back(place);
    if (std::ssize(kept_) > keep_failed_) {
        clear_away(kept_.front());
        kept_.pop_front();
    }
    return host_name() + ":" + place;
}

void write_files(const Spec& spec, const std::string& directory) {
    for (const InputFile& file : spec.files) {
        if (file.rendered) continue;
        create_text_file(queue::join(directory, file.name), file.text, SyncTime::later);
    }
}

void write_inputs(const Spec& spec, const queue::TicketItem& item, const std::string& directory) {
    create_text_file(queue::join(directory, "input.json"), input_text(item) + "\n",
                     SyncTime::later);
    for (const InputFile& file : spec.files) {
        if (!file.rendered) continue;
        create_text_file(queue::join(directory, file.name), file.rendered->render(item),
                         SyncTime::later);
    }
    write_files(spec, directory);
}

}  // namespace sluice::oracle
