#include "oracle/worker_leases.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/sha256.hpp"
#include "queue/layout.hpp"
#include "queue/result_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <utility>

namespace sluice::oracle {
namespace {

using queue::ItemResult;
using queue::ItemStatus;
using queue::TicketItem;
using queue::Token;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds longest_unreported{60};
constexpr std::chrono::seconds pause_after_refusal{30};

queue::ClaimOptions claim_options(const WorkerRequest& request) {
    queue::ClaimOptions options;
    options.lease_seconds = request.lease_seconds;
    options.tags = request.spec.tags;
    return options;
}

std::string holder_text(const Token& token) {
    return fmt::format("{}-{}-{}", token.holder->name, token.holder->process, token.holder->nonce);
}

}  // namespace

Leases::Leases(const WorkerRequest& request, WorkerReport& report)
    : request_(request),
      report_(report),
      claimer_(request.queue_directory, claim_options(request)) {
    const char* job = std::getenv("SLURM_JOB_ID");
    if (job != nullptr) job_id_ = job;
    const std::string pending = queue::join(request.queue_directory, queue::folder::pending);
    for (const std::string& name : list_directory(pending)) {
        if (const auto token = queue::parse_token(name)) check_batch(token->ticket);
    }
}

// Mistakes in the oracle's file are told before any work begins. What is wrong with the queue is
// the claim's business.
void Leases::check_batch(const queue::TicketId& ticket) {
    if (checked_batches_.contains(ticket.batch_id)) return;
    try {
        const std::string& tag = claimer_.batches().facts(ticket.batch_id).tag;
        if (!tag.empty() && std::ranges::count(request_.spec.tags, tag) == 0) return;
        check_item(ticket, claimer_.batches().ticket(ticket).at(0));
    } catch (const Error& error) {
        queue::pass_over(error);
    }
}

void Leases::check_item(const queue::TicketId& ticket, const TicketItem& item) {
    if (checked_batches_.insert(ticket.batch_id).second) check_placeholders(request_.spec, item);
}

bool Leases::claim() {
    while (const auto token = claimer_.claim()) {
        Lease& lease = leases_[next_number_++];
        lease.token = *token;
        for (TicketItem& item : claimer_.open_items(*token))
            lease.waiting.push_back(std::move(item));
        if (!lease.waiting.empty()) {
            check_item(token->ticket, lease.waiting.front());
            return true;
        }
        claimer_.finish(*token);  // whoever finished it was killed before it could say so
        leases_.erase(std::prev(leases_.end()));
    }
    return false;
}

std::int64_t Leases::num_waiting() const {
    std::int64_t count = 0;
    for (const auto& [number, lease] : leases_)
        count += std::ssize(lease.waiting);
    return count;
}

Lease* Leases::next_waiting(LeaseNumber& number) {
    for (auto& [candidate, lease] : leases_) {
        if (lease.waiting.empty()) continue;
        number = candidate;
        return &lease;
    }
    return nullptr;
}

void Leases::take(EndedRun ended) {
    Lease& lease = leases_.at(ended.lease);
    lease.num_running -= std::ssize(ended.results) + std::ssize(ended.again);
    if (lease.finished.empty()) lease.oldest_finished = Clock::now();
    for (ItemResult& result : ended.results) {
        complete(result, lease.token);
        report_.oracle_seconds += result.wall_seconds;
        if (result.status == ItemStatus::refused) lease.refused = true;
        lease.finished.push_back(std::move(result));
    }
    if (lease.lost) return;
    lease.waiting.insert(lease.waiting.begin(), std::make_move_iterator(ended.again.begin()),
                         std::make_move_iterator(ended.again.end()));
}

void Leases::complete(ItemResult& result, const Token& token) {
    const queue::BatchFacts& batch = claimer_.batches().facts(token.ticket.batch_id);
    const std::string what =
        fmt::format("{}|{}|{}", batch.pool_fingerprint, result.row, request_.spec.hash);
    result.label_key = sha256_hex(what).substr(0, 16);
    result.oracle_hash = request_.spec.hash;
    result.worker = holder_text(token);
    result.job_id = job_id_;
}

std::vector<LeaseNumber> Leases::renew() {
    std::vector<LeaseNumber> lost;
    for (auto& [number, lease] : leases_) {
        if (lease.lost || claimer_.renew(lease.token)) continue;
        log_warning(
            fmt::format("{}: this lease was silent for {} s and is lost; what is finished "
                        "is handed in all the same",
                        queue::token_name(lease.token), lease.token.lease_seconds));
        lease.lost = true;
        lease.waiting.clear();
        ++report_.lost;
        lost.push_back(number);
    }
    return lost;
}

void Leases::hand_in(LeaseNumber number, const Breaker& breaker) {
    Lease& lease = leases_.at(number);
    const auto is_held = [&](const ItemResult& result) {
        return breaker.holds(number, result.item);
    };
    auto held = std::stable_partition(lease.finished.begin(), lease.finished.end(),
                                      [&](const ItemResult& result) { return !is_held(result); });
    const std::span<const ItemResult> ready(lease.finished.begin(), held);
    if (ready.empty()) return;
    Token token = lease.token;
    token.lease_seconds = 0;
    queue::publish_results(request_.queue_directory, {token, std::to_string(lease.parts + 1)},
                           ready);
    ++lease.parts;
    for (const ItemResult& result : ready)
        ++report_.counts[std::string(queue::status_name(result.status))];
    lease.finished.erase(lease.finished.begin(), held);
    lease.oldest_finished = Clock::now();
}

void Leases::end(Lease& lease) {
    if (lease.lost) return;
    const bool may_be_done = lease.waiting.empty() && lease.finished.empty();
    // Refused items are offered again, up to a limit that the queue knows.
    const bool is_done =
        may_be_done && (!lease.refused || claimer_.open_items(lease.token).empty());
    if (is_done) {
        claimer_.finish(lease.token);
        ++report_.tickets;
        return;
    }
    claimer_.give_back(lease.token, lease.refused ? pause_after_refusal : std::chrono::seconds(0));
    ++report_.released;
}

void Leases::settle(const Breaker& breaker) {
    const Clock::time_point now = Clock::now();
    for (auto entry = leases_.begin(); entry != leases_.end();) {
        auto& [number, lease] = *entry;
        const bool is_done = lease.waiting.empty() && lease.num_running == 0;
        const bool is_late =
            !lease.finished.empty() && now > lease.oldest_finished + longest_unreported;
        if (is_done || is_late) hand_in(number, breaker);
        if (is_done && (lease.finished.empty() || lease.lost)) {
            end(lease);
            entry = leases_.erase(entry);
        } else {
            ++entry;
        }
    }
}

void Leases::give_back_all(const Breaker& breaker) {
    for (auto entry = leases_.begin(); entry != leases_.end(); entry = leases_.erase(entry)) {
        hand_in(entry->first, breaker);
        end(entry->second);
    }
}

void Leases::abandon() noexcept {
    for (auto& [number, lease] : leases_) {
        if (lease.lost) continue;
        try {
            claimer_.give_back(lease.token);
        } catch (...) {
            continue;  // its lease runs out
        }
    }
    leases_.clear();
}

}  // namespace sluice::oracle
