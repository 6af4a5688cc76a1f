#include "core/error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "oracle/oracle_run.hpp"
#include "oracle/worker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace sluice::oracle {
namespace {

using queue::ItemResult;
using queue::ItemStatus;

queue::TicketItem known_item(const Spec& spec) {
    require(!spec.test_labels.empty(), ExitCode::bad_config,
            spec.path +
                ": no [test] section; give the inputs of an item whose label you know, "
                "and lines like expect energy = -1.5");
    queue::TicketItem item;
    item.id = "test";
    for (const auto& [name, value] : spec.test_inputs) {
        item.input_names.push_back(name);
        item.inputs.push_back(value);
    }
    return item;
}

void print(const std::string& line) {
    std::fwrite(line.data(), 1, line.size(), stdout);
}

// Labels without a section of their own are called y1, y2, ...
std::string label_name(const Spec& spec, std::size_t index) {
    if (index < spec.labels.size()) return spec.labels[index].name;
    return fmt::format("y{}", index + 1);
}

// The only label goes by any name where the file names none.
std::size_t label_index(const Spec& spec, const std::string& name, std::size_t num_labels) {
    for (std::size_t i = 0; i < num_labels; ++i) {
        if (label_name(spec, i) == name) return i;
    }
    return spec.labels.empty() && num_labels == 1 ? 0 : num_labels;
}

void print_result(const Spec& spec, const ItemResult& result) {
    print(fmt::format("status: {}{}\n", queue::status_name(result.status),
                      result.reason.empty() ? "" : " (" + printable(result.reason) + ")"));
    for (std::size_t i = 0; i < result.y.size(); ++i) {
        const std::string unit = i < result.units.size() ? " " + printable(result.units[i]) : "";
        print(fmt::format("label {}: {}{}\n", printable(label_name(spec, i)),
                          number_text(result.y[i]), unit));
    }
    const std::string ending = result.signal      ? fmt::format("signal {}", *result.signal)
                               : result.exit_code ? fmt::format("exit code {}", *result.exit_code)
                                                  : std::string("ended by sluice");
    print(fmt::format("{}; {:.3f} s wall, {:.3f} s cpu, {} peak memory\n", ending,
                      result.wall_seconds, result.cpu_seconds,
                      bytes_text(static_cast<double>(result.peak_memory_kib) * 1024)));
}

void print_log(const std::string& log) {
    if (log.empty()) return;
    print("log:\n");
    for (std::size_t begin = 0; begin < log.size();) {
        const std::size_t end = std::min(log.find('\n', begin), log.size());
        print("  " + printable(log.substr(begin, end - begin)) + "\n");
        begin = end + 1;
    }
}

void require_expected(const Spec& spec, const ItemResult& result) {
    for (const auto& [name, expected] : spec.test_labels) {
        const std::size_t index = label_index(spec, name, result.y.size());
        require(index < result.y.size(), ExitCode::bad_data,
                fmt::format("{}: expect {}: there is no such label ({} came); name it as in "
                            "[label NAME], or y1, y2, ...",
                            spec.path, printable(name), result.y.size()));
        const double label = result.y[index];
        const double allowed = spec.test_tolerance * std::max(std::abs(expected), 1e-300);
        require(std::abs(label - expected) <= allowed, ExitCode::bad_data,
                fmt::format("{}: expect {} = {}: the oracle says {} (tolerance {} relative); "
                            "correct one of them",
                            spec.path, printable(name), number_text(expected), number_text(label),
                            number_text(spec.test_tolerance)));
        print(fmt::format("expected {} = {}: yes\n", printable(name), number_text(expected)));
    }
}

ItemResult run_once(const OracleSetup& setup, const queue::TicketItem& item) {
    OracleRun run(setup, {item});
    while (!run.finished()) {
        setup.pool.wait(std::chrono::milliseconds(500));
        if (stop_requested()) run.stop();
    }
    require(!stop_requested(), ExitCode::try_again,
            setup.spec.path + ": the test was stopped by a signal; run it again");
    return run.judge().front();
}

}  // namespace

void test_oracle(const Spec& spec, const std::string& scratch) {
    const queue::TicketItem item = known_item(spec);
    check_placeholders(spec, item);
    ProcessPool pool;
    Scratch directories(scratch, 0);
    const OracleSetup setup{spec, find_program(spec),
                            clean_environment(spec.passed_environment, spec.environment),
                            directories, pool};
    const ItemResult result = run_once(setup, item);
    print_result(spec, result);
    if (result.status != ItemStatus::ok) print_log(result.log_tail);
    require(result.status == ItemStatus::ok, ExitCode::bad_data,
            fmt::format("{}: the known item got no label ({}: {}); correct the oracle", spec.path,
                        queue::status_name(result.status), printable(result.reason)));
    require_expected(spec, result);
}

}  // namespace sluice::oracle
