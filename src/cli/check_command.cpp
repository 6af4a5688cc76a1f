#include "cli/commands.hpp"
#include "cli/launch.hpp"
#include "cli/pool_options.hpp"
#include "comm/cores.hpp"
#include "core/text.hpp"
#include "pool/check.hpp"
#include "select/score_sources.hpp"
#include "select/two_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace sluice::cli {
namespace {

CommandSpec make_spec() {
    CommandSpec spec;
    spec.name = "check";
    spec.summary = "validate a pool and say which scores and diversities it allows";
    spec.usage = "FILE... [OPTIONS]";
    spec.details =
        "Reads every value once: shapes, types, finite values, probabilities that sum to 1, unique "
        "ids. Says what is stored how, what is wrong, and what the pool can be used for.";
    spec.options = pool_options();
    spec.options.push_back(threads_option());
    spec.options.push_back(config_option());
    spec.positional = "pool";
    return spec;
}

std::string shape_text(const pool::Dataset& dataset) {
    std::string text = "[" + count_text(dataset.num_rows);
    for (const std::int64_t extent : dataset.row_shape)
        text += " x " + count_text(extent);
    return text + "]";
}

std::string filters_text(const std::vector<pool::Filter>& filters) {
    std::string text;
    for (const pool::Filter filter : filters) {
        switch (filter) {
            case pool::Filter::shuffle:
                text += ", shuffle";
                break;
            case pool::Filter::deflate:
                text += ", deflate";
                break;
            case pool::Filter::fletcher32:
                text += ", fletcher32";
                break;
        }
    }
    return text;
}

std::string layout_text(const pool::FilePart& part) {
    switch (part.layout) {
        case pool::Layout::contiguous:
            return "contiguous";
        case pool::Layout::chunked:
            return "chunks of " + count_text(part.chunk_rows) + " rows" +
                   filters_text(part.filters);
        case pool::Layout::library:
            break;
    }
    return "read by the HDF5 library (" + printable(part.why_library) + ")";
}

// The layout of all files, or of the first one where they differ.
std::string layout_text(const pool::Dataset& dataset) {
    if (dataset.parts.empty()) return "empty";
    const std::string first = layout_text(dataset.parts.front());
    const bool same = std::ranges::all_of(
        dataset.parts, [&](const pool::FilePart& part) { return layout_text(part) == first; });
    return same ? first : first + " (first file; others differ)";
}

std::string type_text(const pool::Dataset& dataset) {
    std::string text = pool::element_name(dataset.type);
    if (dataset.big_endian) text += " big-endian";
    if (dataset.is_logit()) text += " logits";
    return text;
}

std::string datasets_table(const pool::Pool& pool) {
    std::string text =
        fmt::format("{:<16}{:<28}{:<18}{:>10}  {}\n", "dataset", "shape", "type", "size", "layout");
    for (const auto& [role, dataset] : pool.datasets) {
        const std::int64_t row_bytes = dataset.row_bytes();
        const std::string size =
            row_bytes == 0 ? "-" : bytes_text(static_cast<double>(row_bytes * dataset.num_rows));
        text += fmt::format("{:<16}{:<28}{:<18}{:>10}  {}\n", printable(role), shape_text(dataset),
                            type_text(dataset), size, layout_text(dataset));
    }
    return text;
}

std::string scores_table(const pool::Pool& pool) {
    std::string text = "scores (--score):\n";
    for (const select::CatalogScore& score : select::score_catalog()) {
        const select::ScoreVerdict verdict = select::judge_score(pool, score);
        const std::string reads = verdict.text.empty() ? "" : ", " + verdict.text;
        text += fmt::format("  {:<26}{}\n", score.name,
                            verdict.is_possible ? "yes" + reads : "no: " + verdict.text);
    }
    for (const auto& [role, dataset] : pool.datasets) {
        if (!role.starts_with("columns/") || dataset.type == pool::ElementType::text) continue;
        text += fmt::format("  {:<26}yes, reads {}\n", "column:" + printable(role.substr(8)),
                            printable(role));
    }
    return text;
}

std::string diversities_table(const pool::Pool& pool) {
    std::string text = "diversities (--diversify):\n";
    for (const select::DiversityDefinition& diversity : select::diversity_definitions()) {
        std::string verdict = "yes";
        if (diversity.needs_features) {
            verdict = pool.find("features") != nullptr
                          ? "yes, reads features"
                          : "no: needs features [N,D]; name them with --features PATH";
        }
        if (diversity.needs_members && pool.find("features") != nullptr &&
            pool.find("committee") == nullptr && pool.find("probabilities") == nullptr) {
            verdict = "only with --model: needs class probabilities, committee [N,M,C] or [N,C]";
        }
        text += fmt::format("  {:<26}{}\n", diversity.name, verdict);
    }
    return text;
}

std::string findings_text(const pool::CheckReport& report) {
    if (report.findings.empty()) return "findings: none\n";
    std::string text = "findings:\n";
    for (const pool::Finding& finding : report.findings) {
        const bool is_error = finding.severity == pool::Finding::Severity::error;
        text += (is_error ? "  error:  " : "  advice: ") + printable(finding.message) + "\n";
    }
    return text;
}

std::string summary_text(const pool::Pool& pool) {
    const std::size_t num_files = pool.source.files.size();
    const std::string what = num_files == 1 ? printable(pool.source.files.front())
                                            : count_text(std::ssize(pool.source.files)) + " files";
    return "pool: " + what + ", " + count_text(pool.num_rows) + " rows\n";
}

std::string rate_text(const pool::CheckReport& report) {
    const auto bytes = static_cast<double>(report.bytes_read);
    const double gigabytes = report.seconds > 0 ? bytes / report.seconds / 1e9 : 0.0;
    return fmt::format("read {} in {:.2f} s ({:.2f} GB/s)\n", bytes_text(bytes), report.seconds,
                       gigabytes);
}

// Every rank has the same report, so every rank throws the same error.
void fail_on_errors(const pool::CheckReport& report) {
    if (report.ok()) return;
    const auto num_errors =
        std::ranges::count(report.findings, pool::Finding::Severity::error,
                           [](const pool::Finding& finding) { return finding.severity; });
    std::string message = report.findings.front().message;
    if (num_errors > 1) message += fmt::format(" (the first of {} errors)", num_errors);
    throw comm::AgreedError(ExitCode::bad_data, message);
}

void run_check(const pool::PoolSource& source, int threads, comm::Communicator& world) {
    const pool::Pool pool = pool::open_pool(source, world);
    if (world.is_root()) print_result(summary_text(pool) + "\n" + datasets_table(pool));
    const pool::CheckReport report = pool::check_pool(pool, threads, world);
    if (world.is_root()) {
        print_result("\n" + findings_text(report) + "\n" + scores_table(pool) + "\n" +
                     diversities_table(pool) + "\n" + rate_text(report));
    }
    fail_on_errors(report);
}

}  // namespace

Command check_command() {
    return {make_spec(), [](const Options& options) {
                const pool::PoolSource source = pool_source(options);
                const int threads = num_threads(options);
                return [source, threads](comm::Communicator& world) {
                    run_check(source, threads == 0 ? comm::cores_of_this_rank(world) : threads,
                              world);
                };
            }};
}

}  // namespace sluice::cli
