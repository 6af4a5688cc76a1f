#include "oracle/worker.hpp"

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "oracle/worker_leases.hpp"
#include "queue/layout.hpp"
#include "queue/reap.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace sluice::oracle {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using Seconds = std::chrono::duration<double>;

constexpr milliseconds first_idle_pause{2000};
constexpr milliseconds longest_idle_pause{30'000};
// A signal that comes between a look at its flag and the wait is seen after this.
constexpr milliseconds longest_wait{500};
constexpr std::chrono::seconds progress_interval{10};
constexpr std::int64_t most_tickets_at_once = 16;
constexpr double least_item_seconds = 1.0;  // of the estimate whether an item fits the walltime
constexpr double item_safety = 1.5;

double seconds_since(Clock::time_point start) {
    return Seconds(Clock::now() - start).count();
}

Clock::time_point after(Clock::time_point start, double seconds) {
    return start + std::chrono::duration_cast<Clock::duration>(Seconds(std::min(seconds, 3.0e9)));
}

// Seconds this process may still take; 0 = no limit.
double walltime_of(const WorkerRequest& request) {
    if (request.walltime_seconds > 0) return request.walltime_seconds;
    return walltime_left().value_or(0.0);
}

std::string counts_text(const std::map<std::string, std::int64_t>& counts) {
    std::string text;
    for (const auto& [status, count] : counts)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count_text(count), status);
    return text.empty() ? "nothing yet" : text;
}

class Worker {
  public:
    Worker(const WorkerRequest& request, const std::string& program);

    WorkerReport run();

  private:
    enum class Ending { none, all_done, enough_items, signal, walltime, breaker, asked };

    void work();
    void tick();
    void notice_signal();
    void notice_walltime();
    void fill_slots();
    bool fits_walltime(std::int64_t num_items) const;
    bool has_enough() const;
    bool may_start() const;
    bool claim_more();
    void look_for_tickets_now();
    void start_next(LeaseNumber number, Lease& lease);
    void collect();
    bool is_over();
    bool is_idle_end();
    milliseconds time_to_wait() const;
    void show_progress();
    void finish();
    std::int64_t num_pending() const;
    std::int64_t num_handed_in() const;
    std::optional<Error> early_end() const;

    const WorkerRequest& request_;
    WorkerReport report_;
    Clock::time_point started_ = Clock::now();
    ProcessPool pool_;
    Scratch scratch_;
    queue::Reaper reaper_;
    Leases leases_;
    Breaker breaker_;
    Slots slots_;

    Ending ending_ = Ending::none;
    std::string asked_by_;  ///< log tail of the run that asked to stop
    std::optional<Clock::time_point> stop_running_;
    std::optional<Clock::time_point> last_start_;  ///< walltime less the grace
    Clock::time_point next_heartbeat_ = started_;
    Clock::time_point next_claim_ = started_;
    Clock::time_point next_progress_ = started_ + progress_interval;
    bool found_none_ = false;  ///< by the last claim
    milliseconds idle_pause_ = first_idle_pause;
    std::int64_t tickets_at_once_ = 1;
    std::int64_t ticket_items_ = 1;
    std::int64_t num_started_ = 0;
    std::int64_t num_ended_ = 0;
    double item_seconds_ = 0.0;  ///< summed over num_ended_
    double longest_item_ = 0.0;
    std::int64_t shown_ = 0;
};

Worker::Worker(const WorkerRequest& request, const std::string& program)
    : request_(request),
      scratch_(request.scratch, request.keep_failed),
      reaper_(request.queue_directory),
      leases_(request, report_),
      breaker_(request.spec.breaker),
      slots_({request.spec, program,
              clean_environment(request.spec.passed_environment, request.spec.environment),
              scratch_, pool_},
             request.workers) {
    const double walltime = walltime_of(request);
    if (walltime > 0) last_start_ = after(started_, walltime - request.grace_seconds);
}

WorkerReport Worker::run() {
    try {
        work();
        finish();
    } catch (...) {
        slots_.clear();
        leases_.abandon();
        throw;
    }
    report_.early_end = early_end();
    return report_;
}

void Worker::work() {
    while (true) {
        tick();
        notice_signal();
        notice_walltime();
        fill_slots();
        leases_.settle(breaker_);
        if (is_over()) return;
        if (!slots_.any_ended()) pool_.wait(time_to_wait());
        collect();
    }
}

// Signs of life, and a look at those of others.
void Worker::tick() {
    const Clock::time_point now = Clock::now();
    if (now >= next_heartbeat_) {
        next_heartbeat_ = after(now, static_cast<double>(request_.lease_seconds) / 4);
        for (const LeaseNumber lost : leases_.renew())
            slots_.stop(lost);
        const queue::ReapReport seen = reaper_.look();
        if (seen.requeued > 0) look_for_tickets_now();
    }
    if (now >= next_progress_) show_progress();
}

void Worker::notice_signal() {
    if (!stop_requested()) return;
    if (ending_ == Ending::none) ending_ = Ending::signal;
    if (!stop_running_) stop_running_ = after(Clock::now(), request_.grace_seconds);
    if (Clock::now() >= *stop_running_) slots_.stop_all();
}

void Worker::notice_walltime() {
    if (ending_ != Ending::none || fits_walltime(1)) return;
    if (slots_.any_busy() && Clock::now() < *last_start_) return;
    ending_ = Ending::walltime;
    slots_.stop_all();
}

// Whether so many items, one after the other, end in time.
bool Worker::fits_walltime(std::int64_t num_items) const {
    if (!last_start_) return true;
    const double needed =
        std::max(least_item_seconds, item_safety * longest_item_ * static_cast<double>(num_items));
    return after(Clock::now(), needed) <= *last_start_;
}

bool Worker::has_enough() const {
    return request_.max_items > 0 && num_started_ >= request_.max_items;
}

bool Worker::may_start() const {
    return ending_ == Ending::none && !has_enough() && fits_walltime(1);
}

void Worker::fill_slots() {
    while (slots_.any_free() && may_start()) {
        LeaseNumber number = 0;
        Lease* lease = leases_.next_waiting(number);
        if (lease != nullptr) {
            start_next(number, *lease);
        } else if (!claim_more()) {
            return;
        }
    }
}

void Worker::start_next(LeaseNumber number, Lease& lease) {
    std::int64_t count =
        request_.spec.mode == Spec::Mode::jsonl ? std::ssize(lease.waiting) : std::int64_t{1};
    if (request_.max_items > 0) count = std::min(count, request_.max_items - num_started_);
    while (count > 1 && !fits_walltime(count))
        count /= 2;
    const auto end = lease.waiting.begin() + count;
    std::vector<queue::TicketItem> items(lease.waiting.begin(), end);
    lease.waiting.erase(lease.waiting.begin(), end);
    lease.num_running += count;
    slots_.start(number, std::move(items));
    num_started_ += count;
}

// The first claim is of one ticket; later ones of as many as keep the slots busy for the target
// time, at most twice as many as the last time, so that others find something too.
bool Worker::claim_more() {
    const Clock::time_point now = Clock::now();
    if (now < next_claim_) return false;
    std::int64_t wanted = 1;
    if (num_ended_ > 0 && request_.spec.mode == Spec::Mode::item) {
        const double ticket_seconds = item_seconds_ / static_cast<double>(num_ended_) *
                                      static_cast<double>(ticket_items_) / request_.workers;
        const double enough = request_.target_seconds / std::max(ticket_seconds, 1e-6);
        wanted = std::clamp(static_cast<std::int64_t>(std::min(enough, 1e6)), std::int64_t{1},
                            std::min(2 * tickets_at_once_, most_tickets_at_once));
    }
    std::int64_t claimed = 0;
    while (claimed < wanted && leases_.claim())
        ++claimed;
    found_none_ = claimed == 0;
    if (found_none_) {
        next_claim_ = now + idle_pause_;
        idle_pause_ = std::min(2 * idle_pause_, longest_idle_pause);
        return false;
    }
    idle_pause_ = first_idle_pause;
    tickets_at_once_ = claimed;
    ticket_items_ = std::max(std::int64_t{1}, leases_.num_waiting() / claimed);
    return true;
}

void Worker::look_for_tickets_now() {
    next_claim_ = Clock::now();
    idle_pause_ = first_idle_pause;
}

void Worker::collect() {
    for (EndedRun& ended : slots_.collect()) {
        num_started_ -= std::ssize(ended.again);
        const auto num_results = std::ssize(ended.results);
        num_ended_ += num_results;
        item_seconds_ += ended.seconds_per_item * static_cast<double>(num_results);
        if (num_results > 0) longest_item_ = std::max(longest_item_, ended.seconds_per_item);
        if (ended.asks_to_stop && !breaker_.is_open()) {
            ending_ = Ending::asked;
            asked_by_ = ended.log_tail;
            slots_.stop_all();
        }
        for (const queue::ItemResult& result : ended.results)
            breaker_.note(ended.lease, result);
        leases_.take(std::move(ended));
    }
    if (!slots_.any_busy() && leases_.num_waiting() == 0) look_for_tickets_now();
    if (breaker_.is_open() && ending_ != Ending::breaker) {
        ending_ = Ending::breaker;
        slots_.stop_all();
    }
}

bool Worker::is_over() {
    if (slots_.any_busy()) return false;
    if (ending_ == Ending::none && has_enough()) ending_ = Ending::enough_items;
    if (ending_ != Ending::none) return true;
    return leases_.num_waiting() == 0 && std::exchange(found_none_, false) && is_idle_end();
}

// Nothing runs, and nothing could be claimed a moment ago.
bool Worker::is_idle_end() {
    breaker_.reset();
    leases_.settle(breaker_);
    const queue::ReapReport seen = reaper_.look();
    report_.elsewhere = seen.leases - seen.requeued - seen.quarantined - seen.finished;
    if (seen.requeued > 0) {
        look_for_tickets_now();
        return false;
    }
    if (request_.end == WorkerRequest::End::never || leases_.any_left()) return false;
    ending_ = Ending::all_done;
    return true;
}

milliseconds Worker::time_to_wait() const {
    Clock::time_point until = std::min(next_heartbeat_, next_progress_);
    const bool may_claim = slots_.any_free() && may_start();
    if (may_claim) until = std::min(until, next_claim_);
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    return std::clamp(left, milliseconds(0), longest_wait);
}

std::int64_t Worker::num_pending() const {
    return std::ssize(
        list_directory(queue::join(request_.queue_directory, queue::folder::pending)));
}

std::int64_t Worker::num_handed_in() const {
    std::int64_t count = 0;
    for (const auto& [status, items] : report_.counts)
        count += items;
    return count;
}

void Worker::show_progress() {
    next_progress_ = Clock::now() + progress_interval;
    if (num_ended_ == shown_) return;
    shown_ = num_ended_;
    log_info(fmt::format("{} items ended, handed in: {}; {:.1f} items/s, {} tickets wait",
                         count_text(num_ended_), counts_text(report_.counts),
                         static_cast<double>(num_ended_) / seconds_since(started_),
                         count_text(num_pending())));
}

void Worker::finish() {
    if (ending_ != Ending::breaker) breaker_.reset();
    leases_.give_back_all(breaker_);
    report_.left = num_pending();
    report_.wall_seconds = seconds_since(started_);
    if (ending_ == Ending::walltime && report_.left == 0) ending_ = Ending::all_done;
}

std::optional<Error> Worker::early_end() const {
    const std::string account =
        fmt::format("{} items handed in, {} tickets given back", count_text(num_handed_in()),
                    count_text(report_.released));
    const std::string& queue = request_.queue_directory;
    const std::string& oracle = request_.spec.path;
    switch (ending_) {
        case Ending::signal:
            return Error(ExitCode::try_again, fmt::format("{}: {}; {}; run the same command again",
                                                          queue, stop_text(), account));
        case Ending::walltime:
            return Error(ExitCode::try_again,
                         fmt::format("{}: too little walltime is left for another item ({} tickets "
                                     "wait); {}; run the same command again",
                                     queue, count_text(report_.left), account));
        case Ending::breaker:
            return Error(ExitCode::unavailable,
                         fmt::format("{}: {}; none of them is reported; {}; correct the oracle, "
                                     "try it with --test, then run again",
                                     oracle, breaker_.description(), account));
        case Ending::asked:
            return Error(ExitCode::unavailable,
                         fmt::format("{}: the oracle asked its worker to stop (exit code 30; last "
                                     "log line: {}); {}; see to its needs, then run again",
                                     oracle, last_line(asked_by_), account));
        default:
            return std::nullopt;
    }
}

}  // namespace

WorkerReport run_worker(const WorkerRequest& request) {
    queue::require_queue(request.queue_directory);
    const std::string program = find_program(request.spec);
    return Worker(request, program).run();
}

}  // namespace sluice::oracle
