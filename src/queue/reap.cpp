#include "queue/reap.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/process_place.hpp"
#include "queue/batch_reader.hpp"
#include "queue/item_state.hpp"
#include "queue/layout.hpp"
#include "queue/server_clock.hpp"
#include "queue/snapshot.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace sluice::queue {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr std::int64_t future_seconds = 60;  // heartbeats later than the probe are not from there

std::int64_t modified_ns(const FileDescriptor& file, const std::string& path) {
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) throw system_error(path, "cannot examine", errno);
    return status.st_mtim.tv_sec * second_ns + status.st_mtim.tv_nsec;
}

bool holder_is_gone(const Holder& holder) {
    return process_is_gone(holder.nonce.substr(0, process_mark_digits), holder.process);
}

// The next token of a lost one.
Token successor(const Token& token) {
    Token result = token;
    result.holder.reset();
    result.lease_seconds = 0;
    if (token.attempt < max_attempts) ++result.attempt;
    return result;
}

bool has_open_items(const std::string& queue_directory, BatchReader& batches,
                    const TicketId& ticket, const TicketFiles& files) {
    std::vector<std::string> damaged;
    const std::vector<ItemRecord> records =
        judge_ticket(queue_directory, batches, ticket, files, damaged);
    for (const std::string& path : damaged)
        log_warning(path + ": damaged; its items are offered again");
    return std::any_of(records.begin(), records.end(),
                       [](const ItemRecord& record) { return is_open(record.state); });
}

bool remove_token(const std::string& path) {
    if (::unlink(path.c_str()) == 0) return true;
    if (errno == ENOENT || errno == ESTALE) return false;
    throw system_error(path, "cannot remove", errno);
}

// One lost lease, by what its ticket has by now.
void end_lease(const std::string& queue_directory, const Token& token, bool has_open,
               ReapReport& report) {
    const std::string from = join(join(queue_directory, folder::leased), token_name(token));
    if (!has_open) {
        report.finished += remove_token(from) ? 1 : 0;
        return;
    }
    const bool is_last = token.attempt >= max_attempts;
    const std::string directory =
        join(queue_directory, is_last ? folder::quarantine : folder::pending);
    if (!move_entry(from, join(directory, token_name(successor(token))))) return;
    ++(is_last ? report.quarantined : report.requeued);
}

}  // namespace

Reaper::Reaper(std::string queue_directory) : queue_directory_(std::move(queue_directory)) {}

ReapReport Reaper::look() {
    ReapReport report;
    now_ns_.reset();
    std::vector<Token> lost;
    const std::vector<std::string> names = list_directory(join(queue_directory_, folder::leased));
    for (const std::string& name : names) {
        const std::optional<Token> token = parse_token(name);
        if (token && token->holder && is_lost(*token, report)) lost.push_back(*token);
    }
    forget_ended(names);
    if (!lost.empty()) reap(lost, report);
    return report;
}

bool Reaper::is_lost(const Token& token, ReapReport& report) {
    const std::string path = join(join(queue_directory_, folder::leased), token_name(token));
    std::int64_t modified = 0;
    try {
        // Opened, not only examined: a network file system then asks its server.
        modified = modified_ns(open_own_file(path), path);
    } catch (const Error& error) {
        if (error.code() == ExitCode::no_input) return false;  // ended since it was listed
        if (error.code() != ExitCode::permission) throw;
        pass_over(error);
        warn_once(path, error.what());
        return false;
    }
    ++report.leases;
    if (holder_is_gone(*token.holder)) return true;
    const Clock::duration silence = watched(token, modified);
    if (!is_overdue(token, modified)) return false;
    const auto left = std::chrono::seconds(token.lease_seconds) - silence;
    if (left <= Clock::duration::zero()) return true;
    const auto wait = std::chrono::ceil<std::chrono::seconds>(left);
    report.wait = report.suspects == 0 ? wait : std::min(report.wait, wait);
    ++report.suspects;
    return false;
}

// How long this object has seen the token unchanged.
Clock::duration Reaper::watched(const Token& token, std::int64_t modified) {
    const Clock::time_point now = Clock::now();
    Sighting& sighting =
        seen_.try_emplace(token_name(token), Sighting{modified, now}).first->second;
    if (sighting.modified_ns != modified) sighting = {modified, now};
    return now - sighting.since;
}

// By the file server's clock. What comes from the future tells no age; it is overdue unless it
// changes under our eyes.
bool Reaper::is_overdue(const Token& token, std::int64_t modified) {
    if (!now_ns_) now_ns_ = file_server_time_ns(queue_directory_);
    const std::int64_t age = *now_ns_ - modified;
    if (age < -future_seconds * second_ns) {
        warn_once("future", fmt::format("{}/{}: {}: its time is {} s in the future; do the clocks "
                                        "of your machines agree?",
                                        queue_directory_, folder::leased, token_name(token),
                                        -age / second_ns));
        return true;
    }
    return age / second_ns >= token.lease_seconds;
}

void Reaper::forget_ended(const std::vector<std::string>& names) {
    std::erase_if(seen_, [&](const auto& entry) {
        return !std::binary_search(names.begin(), names.end(), entry.first);
    });
}

// The results are listed after the holders were found to be gone, so nothing that they handed in is
// overlooked.
void Reaper::reap(const std::vector<Token>& lost, ReapReport& report) {
    const Snapshot snapshot = take_snapshot(queue_directory_);
    BatchReader batches(queue_directory_);
    for (const Token& token : lost) {
        const auto found = snapshot.tickets.find(token.ticket);
        const TicketFiles files = found == snapshot.tickets.end() ? TicketFiles() : found->second;
        try {
            const bool has_open = has_open_items(queue_directory_, batches, token.ticket, files);
            end_lease(queue_directory_, token, has_open, report);
        } catch (const Error& error) {
            // A lease of a ticket that does not exist is nobody's to move.
            if (error.code() != ExitCode::bad_data) throw;
            warn_once(token_name(token), error.what());
        }
    }
}

void Reaper::warn_once(const std::string& subject, const std::string& message) {
    if (warned_.insert(subject).second) log_warning(message);
}

}  // namespace sluice::queue
