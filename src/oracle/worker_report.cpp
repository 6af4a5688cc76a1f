#include "core/text.hpp"
#include "oracle/worker.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::oracle {
namespace {

std::int64_t num_items(const WorkerReport& report) {
    std::int64_t total = 0;
    for (const auto& [status, count] : report.counts)
        total += count;
    return total;
}

}  // namespace

std::string report_text(const WorkerReport& report) {
    std::string kinds;
    for (const auto& [status, count] : report.counts)
        kinds += fmt::format("{}{} {}", kinds.empty() ? " (" : ", ", count_text(count), status);
    if (!kinds.empty()) kinds += ")";
    std::string text = fmt::format("labeled {} items{} in {:.1f} s, {} tickets; {} left",
                                   count_text(num_items(report)), kinds, report.wall_seconds,
                                   count_text(report.tickets), count_text(report.left));
    if (report.elsewhere > 0) {
        text += fmt::format(", {} with other workers", count_text(report.elsewhere));
    }
    if (report.lost > 0) text += fmt::format("; {} leases were lost", count_text(report.lost));
    return text + "\n";
}

std::string report_json(const WorkerReport& report) {
    const nlohmann::ordered_json json = {{"items", num_items(report)},
                                         {"counts", report.counts},
                                         {"tickets", report.tickets},
                                         {"tickets_given_back", report.released},
                                         {"leases_lost", report.lost},
                                         {"tickets_left", report.left},
                                         {"tickets_elsewhere", report.elsewhere},
                                         {"wall_seconds", report.wall_seconds},
                                         {"oracle_seconds", report.oracle_seconds}};
    return json.dump(2) + "\n";
}

}  // namespace sluice::oracle
