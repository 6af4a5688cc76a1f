#include "campaign/nearest.hpp"
#include "cli/batch_options.hpp"
#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/numbers.hpp"
#include "cli/pool_options.hpp"
#include "cli/walltime_options.hpp"
#include "core/text.hpp"

#include <fmt/format.h>

#include <limits>

namespace sluice::cli {
namespace {

constexpr std::uint64_t max_count = std::numeric_limits<std::int32_t>::max();
constexpr std::uint64_t max_rows = std::uint64_t{1} << 48;

std::vector<OptionSpec> search_options() {
    using Kind = OptionSpec::Kind;
    return {
        {.name = "pool",
         .value_name = "FILE",
         .summary = "the pool's HDF5 files, in row order",
         .kind = Kind::list,
         .need = OptionSpec::Need::required},
        {.name = "features",
         .value_name = "PATH",
         .summary = "dataset in the files that distances are taken between",
         .default_text = "/features"},
        {.name = "ids",
         .value_name = "PATH",
         .summary = "dataset in the files that holds the ids",
         .default_text = "/ids"},
        {.name = "to",
         .value_name = "FILE",
         .summary = "HDF5 files whose vectors are the queries",
         .kind = Kind::list},
        {.name = "to-features",
         .value_name = "PATH",
         .summary = "dataset in them that holds the vectors",
         .default_text = "/features"},
        {.name = "to-rows",
         .value_name = "ROW",
         .summary = "rows of the pool that are the queries, in place of --to",
         .kind = Kind::list},
        {.name = "neighbors",
         .value_name = "K",
         .summary = "how many rows to find for each query",
         .unit = "rows",
         .default_text = "1",
         .aliases = {"k"}},
        metric_option(),
        {.name = "labels",
         .value_name = "PATH",
         .summary = "labels file, or directory of label generations, whose rows are never found"},
        {.name = "queue",
         .value_name = "DIR",
         .summary = "queue directory; the rows it has issued are never found"},
        {.name = "out",
         .value_name = "FILE",
         .summary = "write the CSV there instead of to stdout"},
        {.name = "json", .value_name = "FILE", .summary = "also write the result as JSON"},
        bad_rows_option("rows of the pool"),
    };
}

std::vector<OptionSpec> machine_options() {
    return {threads_option(), memory_option("queries, buffers and what was found"),
            block_rows_option("the files"), config_option()};
}

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "nearest";
    spec.summary = "find the pool's rows nearest to given vectors or rows";
    spec.usage = "--pool FILE... (--to FILE... | --to-rows ROW...) [OPTIONS]";
    spec.details =
        "Streams the pool once and keeps for each query the K nearest rows: exact, ties to the "
        "lower row, the same numbers for any number of ranks and threads. Writes CSV "
        "(query,rank,row,id,distance); the cosine distance is 1 - cosine. A query that is a row "
        "of the pool is not its own neighbour.";
    for (const auto& group : {search_options(), walltime_options(), machine_options()})
        spec.options.insert(spec.options.end(), group.begin(), group.end());
    return spec;
}

std::vector<RowId> query_rows(const Options& options) {
    std::vector<RowId> rows;
    for (const std::string& word : options.texts("to-rows")) {
        const auto row = parse_count(word);
        if (!row || *row >= max_rows)
            options.fail("to-rows", "no row (" + printable(word) + "); give numbers from 0 on");
        rows.push_back(static_cast<RowId>(*row));
    }
    return rows;
}

campaign::NearestRequest read_request(const Options& options) {
    campaign::NearestRequest request;
    request.pool.files = options.texts("pool");
    for (const std::string role : {"features", "ids"}) {
        if (options.text(role) != "/" + role) request.pool.datasets[role] = options.text(role);
    }
    request.queries.files = options.texts("to");
    if (options.text("to-features") != "/features")
        request.queries.datasets["features"] = options.text("to-features");
    request.query_rows = query_rows(options);
    require(request.queries.files.empty() != request.query_rows.empty(), ExitCode::usage,
            "nearest: give the queries either as --to FILE or as --to-rows ROW");
    request.num_neighbors = options.count("neighbors", {1, max_count});
    request.metric =
        options.text("metric") == "cosine" ? select::Metric::cosine : select::Metric::euclidean;
    if (options.has("labels")) request.labels = {{options.text("labels")}};
    request.queue_directory = options.text("queue");
    request.csv_path = options.text("out");
    request.json_path = options.text("json");
    request.bad_rows = bad_rows(options);
    request.num_threads = num_threads(options);
    request.memory_gib = options.positive_number("memory");
    request.block_rows = options.count_or_auto("block-rows", {1, max_rows}).value_or(0);
    return request;
}

std::string report(const campaign::NearestRequest& request, const campaign::NearestResult& result) {
    if (request.csv_path.empty()) return result.csv;
    std::string text =
        fmt::format("{}: the {} nearest of {} rows to each of {} queries",
                    printable(request.csv_path), request.num_neighbors,
                    count_text(result.found.num_candidates), count_text(result.num_queries));
    if (result.found.num_skipped > 0)
        text += fmt::format(" ({} bad rows skipped)", count_text(result.found.num_skipped));
    return text + "\n";
}

}  // namespace

Command nearest_command() {
    return {make_spec(), [](const Options& options) {
                const campaign::NearestRequest request = read_request(options);
                heed_walltime(options);
                return [request](comm::Communicator& world) {
                    const campaign::NearestResult result = campaign::find_nearest(request, world);
                    if (world.is_root()) print_result(report(request, result));
                };
            }};
}

}  // namespace sluice::cli
