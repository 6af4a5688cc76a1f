#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/pool_options.hpp"
#include "cli/queue_options.hpp"
#include "core/durable_file.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/trouble.hpp"
#include "queue/fsck.hpp"
#include "queue/layout.hpp"
#include "queue/reap.hpp"
#include "queue/status.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace sluice::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t max_watch_seconds = 86'400;
constexpr auto stop_check_interval = std::chrono::milliseconds(100);
constexpr auto progress_interval = std::chrono::seconds(10);

// False if a stop signal came first.
bool pause_until(Clock::time_point end) {
    while (!stop_requested()) {
        const auto now = Clock::now();
        if (now >= end) return true;
        std::this_thread::sleep_for(std::min<Clock::duration>(end - now, stop_check_interval));
    }
    return false;
}

CommandSpec status_spec() {
    CommandSpec spec;
    spec.name = "queue status";
    spec.summary = "say where the items of a queue stand";
    spec.usage = "--queue DIR [OPTIONS]";
    spec.details =
        "Counts issued items by state: queued, leased, ok (labeled, waiting for ingest), the kinds "
        "of failure with their reasons, cancelled, lost, ingested, rejected. Changes nothing.";
    spec.options = {
        queue_option(),
        {.name = "watch",
         .value_name = "S",
         .summary = "say so again this often, until every item is done or a signal comes",
         .unit = "s"},
        json_option(),
        config_option(),
    };
    spec.launch = Launch::alone;
    return spec;
}

struct StatusRequest {
    std::string queue_directory;
    std::string json_path;
    std::int64_t watch_seconds = 0;  // 0 = once
};

bool is_done(const queue::QueueStatus& status) {
    const auto is_open = [](const auto& count) {
        const bool open =
            count.first == queue::ItemState::queued || count.first == queue::ItemState::leased;
        return open && count.second > 0;
    };
    return std::ranges::none_of(status.counts, is_open);
}

// Goes back over `lines` lines of a terminal, so that what follows takes their place.
std::string redraw(std::int64_t lines) {
    return lines == 0 ? std::string() : fmt::format("\x1b[{}A\x1b[J", lines);
}

queue::QueueStatus show_status(const StatusRequest& request, std::int64_t& lines_shown) {
    queue::QueueStatus status = queue::queue_status(request.queue_directory);
    const std::string text =
        "queue " + printable(request.queue_directory) + ": " + queue::status_text(status);
    const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    print_result((terminal ? redraw(lines_shown) : std::string()) + text);
    lines_shown = std::ranges::count(text, '\n');
    if (!request.json_path.empty()) {
        publish_text_file(request.json_path, queue::status_json(status));
    }
    return status;
}

void run_status(const StatusRequest& request) {
    queue::require_queue(request.queue_directory);
    std::int64_t lines_shown = 0;
    while (true) {
        const auto next = Clock::now() + std::chrono::seconds(request.watch_seconds);
        const bool done = is_done(show_status(request, lines_shown));
        if (done || request.watch_seconds == 0) return;
        if (!finish_output()) return;  // told of, and counted as a failure, by main
        require(pause_until(next), ExitCode::try_again,
                request.queue_directory + ": stopped watching by a signal; items are still open");
    }
}

CommandSpec fsck_spec() {
    CommandSpec spec;
    spec.name = "queue fsck";
    spec.summary = "prove that every issued item is in exactly one state; repair after crashes";
    spec.usage = "--queue DIR [OPTIONS]";
    spec.details =
        "Reads every file of the queue: batches against their manifests, results against their "
        "seals, one token for each open ticket, no links, no files of others. Puts right what a "
        "crash leaves and only one reading of allows; tells of everything else and does not touch "
        "it. Harmless while workers are active.";
    spec.options = {queue_option(), json_option(), config_option()};
    spec.launch = Launch::alone;
    return spec;
}

void fail_on_problems(const queue::FsckReport& report) {
    if (report.clean()) return;
    const std::int64_t num_problems = std::ssize(report.problems);
    std::string message = report.problems.front();
    if (num_problems > 1) message += fmt::format(" (the first of {} problems)", num_problems);
    throw Error(report.untrusted == num_problems ? ExitCode::permission : ExitCode::bad_data,
                message);
}

void run_fsck(const std::string& queue_directory, const std::string& json_path) {
    const queue::FsckReport report = queue::check_queue(queue_directory);
    print_result("queue " + printable(queue_directory) + ": " + queue::fsck_text(report));
    if (!json_path.empty()) publish_text_file(json_path, queue::fsck_json(report));
    fail_on_trouble();  // then what it found is not all there is
    fail_on_problems(report);
}

CommandSpec reap_spec() {
    CommandSpec spec;
    spec.name = "queue reap";
    spec.summary = "take back the tickets of workers that are gone";
    spec.usage = "--queue DIR [OPTIONS]";
    spec.details =
        "Workers do this as well; the command is for queues that none is working on. Takes back at "
        "once what is certain, then watches overdue leases for as long as they last, since only "
        "silence seen by this process counts. May be interrupted at any time.";
    spec.options = {
        queue_option(),
        {.name = "no-wait",
         .value_name = "",
         .summary = "leave leases that would have to be watched first",
         .kind = OptionSpec::Kind::flag},
        config_option(),
    };
    spec.launch = Launch::alone;
    return spec;
}

enum class Patience { none, until_due };

std::string reap_text(const queue::ReapReport& total) {
    return fmt::format(
        "{} leases: {} taken back, {} finished and removed, {} put into quarantine, {} overdue but "
        "left\n",
        count_text(total.leases), count_text(total.requeued), count_text(total.finished),
        count_text(total.quarantined), count_text(total.suspects));
}

// What a later look did is added; what it saw replaces what was seen before.
void merge(queue::ReapReport& total, const queue::ReapReport& look) {
    total.requeued += look.requeued;
    total.quarantined += look.quarantined;
    total.finished += look.finished;
    total.suspects = look.suspects;
    total.wait = look.wait;
}

// Says what is being waited for, at first and every ten seconds.
void tell_of_wait(const queue::ReapReport& total) {
    log_info(fmt::format("watching {} {} for {} s; --no-wait leaves them", total.suspects,
                         total.suspects == 1 ? "lease" : "leases", total.wait.count()));
}

void run_reap(const std::string& queue_directory, Patience patience) {
    queue::require_queue(queue_directory);
    queue::open_layout(queue_directory);
    queue::Reaper reaper(queue_directory);
    queue::ReapReport total = reaper.look();
    auto next_told = Clock::now();
    bool stopped = false;
    while (total.suspects > 0 && patience == Patience::until_due && !stopped) {
        if (Clock::now() >= next_told) {
            tell_of_wait(total);
            next_told = Clock::now() + progress_interval;
        }
        // Looking more often than it is due shows which holders have come back to life.
        const auto wait = std::clamp<Clock::duration>(total.wait, std::chrono::milliseconds(200),
                                                      progress_interval);
        stopped = !pause_until(Clock::now() + wait);
        if (!stopped) merge(total, reaper.look());
    }
    print_result("queue " + printable(queue_directory) + ": " + reap_text(total));
    require(!stopped, ExitCode::try_again,
            queue_directory + ": stopped by a signal; overdue leases were left, run it again");
}

}  // namespace

Command queue_status_command() {
    return {status_spec(), [](const Options& options) {
                StatusRequest request;
                request.queue_directory = queue_directory(options);
                request.json_path = options.text("json");
                if (options.has("watch")) {
                    request.watch_seconds = options.count("watch", {1, max_watch_seconds});
                }
                return [request](comm::Communicator&) { run_status(request); };
            }};
}

Command queue_fsck_command() {
    return {fsck_spec(), [](const Options& options) {
                const std::string directory = queue_directory(options);
                const std::string json_path = options.text("json");
                return [=](comm::Communicator&) { run_fsck(directory, json_path); };
            }};
}

Command queue_reap_command() {
    return {reap_spec(), [](const Options& options) {
                const std::string directory = queue_directory(options);
                const Patience patience =
                    options.flag("no-wait") ? Patience::none : Patience::until_due;
                return [=](comm::Communicator&) { run_reap(directory, patience); };
            }};
}

}  // namespace sluice::cli
