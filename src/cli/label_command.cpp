#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/pool_options.hpp"
#include "cli/queue_options.hpp"
#include "core/durable_file.hpp"
#include "oracle/worker.hpp"

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_workers = 1024;
constexpr std::uint64_t max_count = std::uint64_t{1} << 48;
constexpr std::uint64_t shortest_lease = 1;
constexpr std::uint64_t longest_lease = 86'400;
constexpr double seconds_per_minute = 60.0;

// `--test` needs no queue.
OptionSpec optional_queue() {
    OptionSpec option = queue_option();
    option.need = OptionSpec::Need::optional;
    return option;
}

std::vector<OptionSpec> work_options() {
    return {
        optional_queue(),
        {.name = "oracle",
         .value_name = "FILE",
         .summary = "INI file that says how to run the oracle and what to take as the label",
         .need = OptionSpec::Need::required},
        {.name = "workers",
         .value_name = "W",
         .summary = "oracles that run at the same time",
         .default_text = "1"},
        {.name = "test",
         .value_name = "",
         .summary = "only run the known item of the oracle's [test] section",
         .kind = OptionSpec::Kind::flag},
        {.name = "until-empty",
         .value_name = "",
         .summary = "end when nothing is left to claim, instead of waiting for new batches",
         .kind = OptionSpec::Kind::flag},
        {.name = "max-items",
         .value_name = "N",
         .summary = "end after this many items",
         .unit = "items"},
    };
}

std::vector<OptionSpec> time_options() {
    return {
        {.name = "lease",
         .value_name = "S",
         .summary = "silence after which others may take this worker's tickets",
         .unit = "s",
         .default_text = "300"},
        {.name = "target-seconds",
         .value_name = "S",
         .summary = "as many tickets are claimed at once as take about this long",
         .unit = "s",
         .default_text = "60"},
        {.name = "walltime",
         .value_name = "X",
         .summary = "end before this time is over; without it, SLURM_JOB_END_TIME counts",
         .unit = "min"},
        {.name = "grace",
         .value_name = "S",
         .summary = "time that running items get after SIGTERM or SIGUSR1, and that is kept free "
                    "before the walltime's end",
         .unit = "s",
         .default_text = "20"},
    };
}

std::vector<OptionSpec> place_options() {
    return {
        {.name = "scratch",
         .value_name = "DIR",
         .summary = "where oracles run, best on a local disk; without it, TMPDIR or /tmp"},
        {.name = "keep-failed",
         .value_name = "N",
         .summary = "scratch directories of the last failures that are kept",
         .default_text = "3"},
        json_option(),
        config_option(),
    };
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "label";
    spec.summary = "run an oracle on the items of a queue";
    spec.usage = "--queue DIR --oracle FILE [OPTIONS]";
    spec.details =
        "Claims tickets, runs the oracle on each item in a new scratch directory, judges what came "
        "out, and hands in the results. Any number of workers on any machines may share a queue, "
        "and any of them may be killed: run the same command again. After SIGTERM or SIGUSR1, or "
        "when the walltime ends, finished items are handed in, the rest is given back, and the "
        "exit code is 75.";
    for (const auto& group : {work_options(), time_options(), place_options()}) {
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    }
    spec.launch = Launch::alone;
    return spec;
}

oracle::WorkerRequest worker_request(const Options& options) {
    using End = oracle::WorkerRequest::End;
    oracle::WorkerRequest request;
    if (options.has("queue")) request.queue_directory = queue_directory(options);
    request.workers = static_cast<int>(options.count("workers", {1, max_workers}));
    request.end = options.flag("until-empty") ? End::when_empty : End::never;
    request.lease_seconds = options.count("lease", {shortest_lease, longest_lease});
    request.target_seconds = options.positive_number("target-seconds");
    if (options.has("walltime")) {
        request.walltime_seconds = options.positive_number("walltime") * seconds_per_minute;
    }
    request.grace_seconds = options.positive_number("grace");
    if (options.has("max-items")) request.max_items = options.count("max-items", {1, max_count});
    request.scratch = options.text("scratch");
    request.keep_failed = static_cast<int>(options.count("keep-failed", {0, 1'000'000}));
    return request;
}

void run_label(oracle::WorkerRequest request, const std::string& oracle_path,
               const std::string& json_path) {
    request.spec = oracle::read_spec(oracle_path);
    const oracle::WorkerReport report = oracle::run_worker(request);
    if (!json_path.empty()) publish_text_file(json_path, oracle::report_json(report));
    if (report.early_end) throw *report.early_end;
    print_result(oracle::report_text(report));
}

}  // namespace

Command label_command() {
    return {make_spec(), [](const Options& options) {
                const oracle::WorkerRequest request = worker_request(options);
                const std::string oracle_path = options.text("oracle");
                const std::string json_path = options.text("json");
                const bool only_test = options.flag("test");
                if (!only_test && !options.has("queue")) {
                    options.fail("queue", "missing; give the directory that 'sluice select' made");
                }
                return [=](comm::Communicator&) {
                    if (only_test) {
                        oracle::test_oracle(oracle::read_spec(oracle_path), request.scratch);
                    } else {
                        run_label(request, oracle_path, json_path);
                    }
                };
            }};
}

}  // namespace sluice::cli
