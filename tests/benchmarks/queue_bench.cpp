// Q1: what the queue costs for each item, without an oracle: claim, lease, hand-in and ingest in
// tickets of 50, against a loop that keeps one result file and one state file for each item, synced
// likewise, on the same disk.
// Q2 and Q3: lines a second and peak memory of an ingest of 250,000 and of 1,000,000 results.
// Usage: sluice_bench_queue DIRECTORY [--quick]
// Output, one line for each side: ID, side, value, what was run (separated by tabs). Values are
// microseconds for an item (Q1, Q2) and MiB (Q3).

#include "benchmarks/bench_clock.hpp"
#include "core/durable_file.hpp"
#include "core/error.hpp"
#include "labels/ingest.hpp"
#include "queue/claim.hpp"
#include "queue/layout.hpp"
#include "queue/publish.hpp"
#include "queue/result_file.hpp"

#include <fmt/format.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::bench {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t ticket_items = 50;
constexpr std::int64_t large_ticket_items = 1000;  // of oracles that take milliseconds
constexpr std::int64_t dim = 32;
constexpr double allowed_item_us = 500.0;  // 2,000 items a second
constexpr double allowed_line_us = 10.0;   // 100,000 lines a second

struct Sizes {
    std::int64_t num_items = 20'000;
    std::int64_t num_peer_items = 1'000;  // its seconds grow with the items alone
    std::int64_t num_results = 1'000'000;
    int repeats = 5;
};

void print(std::string_view id, std::string_view side, double value, const std::string& what) {
    fmt::print("{}\t{}\t{:.6f}\t{}\n", id, side, value, what);
    std::fflush(stdout);
}

queue::Batch make_batch(std::int64_t num_items, std::int64_t items_per_ticket) {
    queue::Batch batch;
    batch.id = "00112233445566aa";
    batch.dim = dim;
    batch.features.assign(static_cast<std::size_t>(num_items * dim), 0.5F);
    batch.ticket_items = items_per_ticket;
    batch.manifest = "{}";
    for (RowId row = 0; row < num_items; ++row) {
        batch.items.push_back({row, std::to_string(row), 1.0F, 1.0F, {0.25, 0.75}});
    }
    return batch;
}

queue::ItemResult make_result(std::int64_t item, RowId row, const std::string& id) {
    queue::ItemResult result;
    result.item = item;
    result.row = row;
    result.id = id;
    result.status = queue::ItemStatus::ok;
    result.y = {-5.0701234567890123 + 1e-6 * static_cast<double>(item)};
    result.units = {"Eh"};
    result.label_key = std::string(64, 'a');
    result.oracle_hash = std::string(64, 'b');
    result.worker = "node-4242-00000000000000000001";
    result.started = 1.7e9;
    result.wall_seconds = 0.009;
    result.cpu_seconds = 0.008;
    result.peak_memory_kib = 20'000;
    result.exit_code = 0;
    return result;
}

queue::ResultName result_name(queue::Token token) {
    token.lease_seconds = 0;
    return {std::move(token), "1"};
}

std::string fresh_queue(const std::string& directory, const queue::Batch& batch) {
    fs::remove_all(directory);
    fs::create_directories(directory);
    queue::Queue queue(directory + "/queue");
    queue.publish(batch, 0);
    return queue.directory();
}

labels::IngestReport take_results(const std::string& directory) {
    labels::IngestRequest request;
    request.queue_directory = directory + "/queue";
    request.labels_directory = directory + "/labels";
    return labels::ingest(request);
}

// One worker whose oracle takes no time, and the ingest of what it found.
void work_off(const std::string& directory, std::int64_t num_items) {
    const std::string queue_directory = directory + "/queue";
    queue::Claimer claimer(queue_directory, {});
    while (const auto token = claimer.claim()) {
        std::vector<queue::ItemResult> results;
        for (const queue::TicketItem& item : claimer.open_items(*token)) {
            results.push_back(make_result(item.item, item.row, item.id));
        }
        require(claimer.renew(*token), ExitCode::internal, "a lease was lost");
        queue::publish_results(queue_directory, result_name(*token), results);
        claimer.finish(*token);
    }
    require(take_results(directory).labels == num_items, ExitCode::internal,
            "not every item has a label");
}

// For each item a result file, written and synced under another name and renamed, and the state of
// the job rewritten the same way.
void one_file_per_item(const std::string& directory, std::int64_t num_items) {
    fs::remove_all(directory);
    fs::create_directories(directory);
    const std::string draft = directory + "/draft";
    for (std::int64_t item = 0; item < num_items; ++item) {
        const std::string name = std::to_string(item);
        create_text_file(draft, queue::result_text(make_result(item, item, name)) + "\n");
        fs::rename(draft, directory + "/" + name + ".json");
        create_text_file(draft, fmt::format("{{\"finished\": {}}}\n", item + 1), SyncTime::later);
        fs::rename(draft, directory + "/state.json");
    }
    sync_directory(directory);
}

void run_overhead(const std::string& directory, const Sizes& sizes) {
    const queue::Batch batch = make_batch(sizes.num_items, ticket_items);
    std::vector<double> ours;
    std::vector<double> peers;
    for (int repeat = 0; repeat < sizes.repeats; ++repeat) {
        fresh_queue(directory, batch);
        ours.push_back(seconds_of([&] { work_off(directory, sizes.num_items); }) /
                       static_cast<double>(sizes.num_items));
        peers.push_back(
            seconds_of([&] { one_file_per_item(directory + "/peer", sizes.num_peer_items); }) /
            static_cast<double>(sizes.num_peer_items));
    }
    const double item_us = 1e6 * median(ours);
    const double peer_us = 1e6 * median(peers);
    print("Q1", "ours", item_us,
          fmt::format("{} items in tickets of {}, {:.0f} items/s", sizes.num_items, ticket_items,
                      1e6 / item_us));
    print("Q1", "one_file_per_item", peer_us, fmt::format("{:.0f} items/s", 1e6 / peer_us));
    print("Q1", "allowed", allowed_item_us, "2,000 items/s");
}

void hand_in_all(const std::string& queue_directory, const queue::Batch& batch) {
    const auto num_items = static_cast<std::int64_t>(batch.items.size());
    for (std::int64_t first = 0; first < num_items; first += batch.ticket_items) {
        std::vector<queue::ItemResult> results;
        for (auto item = first; item < std::min(num_items, first + batch.ticket_items); ++item) {
            results.push_back(
                make_result(item, item, batch.items[static_cast<std::size_t>(item)].id));
        }
        queue::Token token;
        token.ticket = {batch.id, first / batch.ticket_items + 1};
        token.holder = queue::Holder{"node", 4242, "00000000000000000001"};
        queue::publish_results(queue_directory, result_name(token), results);
    }
}

double peak_memory_mib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
    }
    throw Error(ExitCode::internal, "/proc/self/status: no VmHWM");
}

struct IngestFigures {
    double line_us = 0.0;
    double peak_mib = 0.0;
};

// What the process of an ingest does; it leaves its figures in a file.
void measure_ingest(const std::string& directory) {
    std::int64_t labels = 0;
    const double seconds = seconds_of([&] { labels = take_results(directory).labels; });
    std::ofstream(directory + "/figures")
        << 1e6 * seconds / static_cast<double>(labels) << ' ' << peak_memory_mib() << '\n';
}

// An ingest in a process of its own, for its memory.
IngestFigures ingest_alone(const std::string& directory, std::int64_t num_results) {
    hand_in_all(directory + "/queue", make_batch(num_results, large_ticket_items));
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl("/proc/self/exe", "sluice_bench_queue", "--ingest", directory.c_str(), nullptr);
        ::_exit(70);
    }
    int status = -1;
    require(::waitpid(child, &status, 0) == child && status == 0, ExitCode::internal,
            "the process that ingests failed");
    IngestFigures figures;
    std::ifstream(directory + "/figures") >> figures.line_us >> figures.peak_mib;
    return figures;
}

void run_ingest(const std::string& directory, const Sizes& sizes) {
    std::vector<IngestFigures> figures;
    for (const std::int64_t num_results : {sizes.num_results / 4, sizes.num_results}) {
        fresh_queue(directory, make_batch(num_results, large_ticket_items));
        figures.push_back(ingest_alone(directory, num_results));
    }
    const IngestFigures& all = figures.back();
    print(
        "Q2", "ours", all.line_us,
        fmt::format("ingest of {} results, {:.0f} lines/s", sizes.num_results, 1e6 / all.line_us));
    print("Q2", "allowed", allowed_line_us, "100,000 lines/s");
    print("Q3", "ours", all.peak_mib, fmt::format("peak of ingest, {} results", sizes.num_results));
    print("Q3", "peak_quarter", figures.front().peak_mib, "peak with a quarter of them");
}

void run(const std::string& directory, const Sizes& sizes) {
    const std::string scratch = directory + "/queue_bench_scratch";
    run_overhead(scratch, sizes);
    run_ingest(scratch, sizes);
    fs::remove_all(scratch);
}

}  // namespace
}  // namespace sluice::bench

int main(int argc, char** argv) {
    using namespace sluice;
    const std::vector<std::string> words(argv + 1, argv + argc);
    bench::Sizes sizes;
    if (words.size() == 2 && words[1] == "--quick") sizes = {1'000, 100, 40'000, 3};
    try {
        require(!words.empty(), ExitCode::usage, "usage: sluice_bench_queue DIRECTORY [--quick]");
        if (words.size() == 2 && words[0] == "--ingest") {
            bench::measure_ingest(words[1]);
        } else {
            bench::run(words[0], sizes);
        }
    } catch (const Error& error) {
        fmt::print(stderr, "{}\n", error.what());
        return static_cast<int>(error.code());
    }
    return 0;
}
