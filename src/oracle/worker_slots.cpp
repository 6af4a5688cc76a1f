#include "oracle/worker_slots.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace sluice::oracle {
namespace {

using queue::ItemResult;
using queue::ItemStatus;
using queue::TicketItem;
using End = ProcessOutcome::End;

constexpr std::size_t tail_bytes = 2048;
constexpr int usual_error_retries = 1;

int allowed_retries(const Spec& spec, ItemStatus status) {
    const auto found = spec.retries.find(status);
    if (found != spec.retries.end()) return found->second;
    return status == ItemStatus::oracle_error ? usual_error_retries : 0;
}

bool is_failure(ItemStatus status) {
    return status != ItemStatus::ok && status != ItemStatus::refused;
}

bool is_success(const ProcessOutcome& outcome) {
    return outcome.end == End::exited && outcome.exit_code == 0;
}

// Positions of the items whose results say something about the item, not only about the process.
std::set<std::size_t> positions_that_count(const Spec& spec, const OracleRun& run,
                                           const std::vector<ItemResult>& results) {
    std::set<std::size_t> positions;
    const ProcessOutcome& outcome = run.outcome();
    const bool is_item = spec.mode == Spec::Mode::item;
    const bool is_cut_short = outcome.end == End::stopped || asks_to_stop(outcome);
    if (is_item && is_cut_short) return positions;
    const std::set<std::int64_t> answered =
        is_item || is_success(outcome) ? std::set<std::int64_t>() : run.answered();
    bool blamed = is_cut_short;
    for (std::size_t i = 0; i < results.size(); ++i) {
        const bool was_answered = answered.contains(run.items()[i].item);
        const bool concerns_all = is_item || is_success(outcome) ||
                                  (!is_cut_short && results[i].status == ItemStatus::refused);
        if (was_answered || concerns_all) {
            positions.insert(i);
        } else if (!std::exchange(blamed, true)) {
            positions.insert(i);
        }
    }
    return positions;
}

ItemResult unfit_result(const TicketItem& item, const std::string& reason) {
    ItemResult result;
    result.item = item.item;
    result.row = item.row;
    result.id = item.id;
    result.status = ItemStatus::invalid;
    result.reason = "the oracle cannot be given this item";
    result.log_tail = reason;
    result.tries = 0;
    return result;
}

}  // namespace

Slots::Slots(OracleSetup setup, int count) : setup_(std::move(setup)), count_(count) {}

void Slots::start(LeaseNumber lease, std::vector<TicketItem> items) {
    try {
        runs_.push_back({lease, std::make_unique<OracleRun>(setup_, items)});
    } catch (const Error& error) {
        // What one item's values do to a command is no reason to leave the others.
        if (error.code() != ExitCode::bad_data) throw;
        EndedRun ended;
        ended.lease = lease;
        for (const TicketItem& item : items)
            ended.results.push_back(unfit_result(item, error.what()));
        unfit_.push_back(std::move(ended));
    }
}

std::vector<EndedRun> Slots::collect() {
    std::vector<EndedRun> ended = std::exchange(unfit_, {});
    for (Slot& slot : runs_) {
        if (!slot.run->finished()) continue;
        ended.push_back(end_of(slot));
        slot.run.reset();
    }
    std::erase_if(runs_, [](const Slot& slot) { return slot.run == nullptr; });
    return ended;
}

EndedRun Slots::end_of(Slot& slot) {
    OracleRun& run = *slot.run;
    const ProcessOutcome& outcome = run.outcome();
    EndedRun ended;
    ended.lease = slot.lease;
    ended.asks_to_stop = asks_to_stop(outcome);
    const std::size_t tail = std::min(tail_bytes, outcome.log.size());
    ended.log_tail = outcome.log.substr(outcome.log.size() - tail);
    ended.seconds_per_item = outcome.wall_seconds / static_cast<double>(run.items().size());

    std::vector<ItemResult> results = run.judge();
    const std::set<std::size_t> counting = positions_that_count(setup_.spec, run, results);
    for (std::size_t i = 0; i < results.size(); ++i) {
        if (counting.contains(i)) {
            sort_result(std::move(results[i]), run.items()[i], ended);
        } else {
            ended.again.push_back(run.items()[i]);
        }
    }
    keep_evidence(run, ended);
    return ended;
}

// A result is final, or the item gets another try.
void Slots::sort_result(ItemResult result, const TicketItem& item, EndedRun& ended) {
    const ItemKey key{ended.lease, item.item};
    History& history = histories_[key];
    ++history.tries;
    history.wall_seconds += result.wall_seconds;
    history.cpu_seconds += result.cpu_seconds;
    const bool may_try_again =
        is_failure(result.status) &&
        history.failures[result.status]++ < allowed_retries(setup_.spec, result.status);
    if (may_try_again) {
        ended.again.push_back(item);
        return;
    }
    result.item = item.item;
    result.row = item.row;
    result.id = item.id;
    result.tries = history.tries;
    result.wall_seconds = history.wall_seconds;
    result.cpu_seconds = history.cpu_seconds;
    histories_.erase(key);
    ended.results.push_back(std::move(result));
}

void Slots::keep_evidence(OracleRun& run, EndedRun& ended) {
    const auto is_failed = [](const ItemResult& result) { return is_failure(result.status); };
    if (std::ranges::none_of(ended.results, is_failed)) return;
    const std::string place = run.keep();
    for (ItemResult& result : ended.results) {
        if (is_failed(result)) result.artifacts = place;
    }
}

void Slots::stop_all() {
    for (Slot& slot : runs_)
        slot.run->stop();
}

void Slots::stop(LeaseNumber lease) {
    for (Slot& slot : runs_) {
        if (slot.lease == lease) slot.run->stop();
    }
}

}  // namespace sluice::oracle
