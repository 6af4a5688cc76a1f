#include "queue/claim.hpp"

#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/process_place.hpp"
#include "core/text.hpp"
#include "queue/item_state.hpp"
#include "queue/layout.hpp"
#include "queue/snapshot.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <set>
#include <utility>

namespace sluice::queue {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t max_person_length = 63;
constexpr std::size_t random_digits = 20 - process_mark_digits;

void require_person_name(const std::string& name) {
    const bool is_word = std::all_of(
        name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; });
    require(is_word && name.size() <= max_person_length, ExitCode::usage,
            fmt::format("'{}': no name for a lease; use at most {} letters, digits and '-'",
                        printable(name), max_person_length));
}

// HOST.PID.NONCE as temporaries have it, so that a lease can be told to be of this machine.
Holder new_holder(const std::string& person) {
    const std::string unique = unique_name();
    const std::string host = unique.substr(0, unique.find('.'));
    Holder holder;
    holder.name = person.empty() ? host : person;
    if (holder.name.empty()) holder.name = "nameless";
    holder.process = person.empty() ? ::getpid() : 0;
    holder.nonce = process_mark() + unique.substr(unique.size() - random_digits);
    return holder;
}

// Sets a token's time to now by the file system's clock. False if it is gone.
bool touch(const std::string& path) {
    const struct timespec times[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    int result = -1;
    do {
        result = ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
    } while (result != 0 && errno == EINTR);
    if (result == 0) return true;
    if (errno == ENOENT || errno == ESTALE) return false;
    throw system_error(path, "cannot set the time", errno);
}

Token pending_token(const Token& token) {
    Token result = token;
    result.holder.reset();
    result.lease_seconds = 0;
    return result;
}

std::string path_in(const std::string& queue_directory, std::string_view folder_name,
                    const Token& token) {
    return join(join(queue_directory, folder_name), token_name(token));
}

bool is_own_file(const struct stat& status) {
    return S_ISREG(status.st_mode) && status.st_uid == ::geteuid();
}

}  // namespace

Claimer::Claimer(std::string queue_directory, ClaimOptions options)
    : queue_directory_(std::move(queue_directory)),
      options_(std::move(options)),
      batches_(queue_directory_),
      random_(std::random_device()()) {
    require(options_.lease_seconds > 0, ExitCode::internal, "claim: a lease needs a duration");
    require_person_name(options_.person);
}

std::optional<Token> Claimer::claim() {
    for (bool is_fresh = false;;) {
        if (candidates_.empty()) {
            if (is_fresh) return std::nullopt;
            list_candidates();
            is_fresh = true;
            if (candidates_.empty()) return std::nullopt;
        }
        const std::string name = std::move(candidates_.back());
        candidates_.pop_back();
        const std::optional<Token> token = acceptable(name);
        if (!token || is_paused(token->ticket)) continue;
        if (std::optional<Token> leased = try_claim(*token)) return leased;
    }
}

bool Claimer::any_left() {
    const std::vector<std::string> names = list_directory(join(queue_directory_, folder::pending));
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return acceptable(name).has_value(); });
}

// Workers that start at the same time begin at different places, or they would all race for the
// same tokens.
void Claimer::list_candidates() {
    candidates_ = list_directory(join(queue_directory_, folder::pending));
    if (candidates_.empty()) return;
    if (!options_.person.empty()) {  // the most wanted items come first in a batch
        std::reverse(candidates_.begin(), candidates_.end());
        return;
    }
    std::uniform_int_distribution<std::size_t> any(0, candidates_.size() - 1);
    const auto start = static_cast<std::ptrdiff_t>(any(random_));
    std::rotate(candidates_.begin(), candidates_.begin() + start, candidates_.end());
    std::reverse(candidates_.begin(), candidates_.end());
}

std::optional<Token> Claimer::acceptable(const std::string& name) {
    const std::string path = join(join(queue_directory_, folder::pending), name);
    const std::optional<Token> token = parse_token(name);
    if (!token || token->holder) {
        warn_once(path, path + ": not the name of a ticket's token; left alone");
        return std::nullopt;
    }
    if (!may_take(*token)) return std::nullopt;
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT || errno == ESTALE) return std::nullopt;  // somebody was faster
        throw system_error(path, "cannot examine", errno);
    }
    if (is_own_file(status)) return token;
    warn_once(path, fmt::format("{}: a link, no regular file, or another user's (owner {}); left "
                                "alone",
                                path, status.st_uid));
    return std::nullopt;
}

// What is wrong with the ticket of a token; empty if it exists.
std::string Claimer::flaw_of(const Token& token) {
    try {
        static_cast<void>(batches_.num_items(token.ticket));
        return {};
    } catch (const Error& error) {
        pass_over(error);
        return error.what();
    }
}

bool Claimer::may_take(const Token& token) {
    const std::string& id = token.ticket.batch_id;
    const std::string batch = join(join(queue_directory_, folder::batches), id);
    std::string flaw = flaw_of(token);
    if (!flaw.empty()) {
        if (exists(join(batch, batch_file::staged_manifest))) return false;  // soon
        flaw = flaw_of(token);  // its publication may have ended in between
    }
    if (!flaw.empty()) {
        warn_once(batch, flaw + "; its tickets in pending/ are left alone");
        return false;
    }
    const std::string& tag = batches_.facts(id).tag;
    return tag.empty() ||
           std::find(options_.tags.begin(), options_.tags.end(), tag) != options_.tags.end();
}

bool Claimer::is_paused(const TicketId& ticket) {
    const auto found = not_before_.find(ticket);
    if (found == not_before_.end()) return false;
    if (Clock::now() < found->second) return true;
    not_before_.erase(found);
    return false;
}

std::optional<Token> Claimer::try_claim(const Token& token) {
    const std::string from = path_in(queue_directory_, folder::pending, token);
    Token leased = token;
    leased.holder = new_holder(options_.person);
    leased.lease_seconds = options_.lease_seconds;
    const std::string to = path_in(queue_directory_, folder::leased, leased);
    if (!touch(from) || !move_entry(from, to) || !exists(to)) return std::nullopt;
    return leased;
}

std::vector<TicketItem> Claimer::open_items(const Token& token) {
    std::vector<TicketItem> items = batches_.ticket(token.ticket);
    const bool never_held = token.attempt == 1 && token.releases == 0;
    if (never_held) return items;
    std::vector<std::string> damaged;
    std::set<std::int64_t> open;
    for (const ItemRecord& record :
         judge_ticket(queue_directory_, batches_, token.ticket,
                      results_of_ticket(queue_directory_, token.ticket), damaged)) {
        if (is_open(record.state)) open.insert(record.item);
    }
    for (const std::string& path : damaged)
        warn_once(path, path + ": damaged; its items are worked on again");
    std::erase_if(items, [&](const TicketItem& item) { return !open.contains(item.item); });
    return items;
}

bool Claimer::renew(const Token& token) {
    return touch(path_in(queue_directory_, folder::leased, token));
}

void Claimer::finish(const Token& token) {
    const std::string path = path_in(queue_directory_, folder::leased, token);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != ESTALE) {
        throw system_error(path, "cannot remove", errno);
    }
}

void Claimer::give_back(const Token& token, std::chrono::seconds pause) {
    Token released = pending_token(token);
    ++released.releases;
    if (pause.count() > 0) not_before_[token.ticket] = Clock::now() + pause;
    move_entry(path_in(queue_directory_, folder::leased, token),
               path_in(queue_directory_, folder::pending, released));
}

void Claimer::warn_once(const std::string& subject, const std::string& message) {
    if (warned_.insert(subject).second) log_warning(message);
}

}  // namespace sluice::queue
