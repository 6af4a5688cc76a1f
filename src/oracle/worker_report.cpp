#include "core/text.hpp"
#include "oracle/worker.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <vector>

namespace sluice::oracle {
namespace {

std::int64_t num_items(const WorkerReport& report) {
    std::int64_t total = 0;
    for (const auto& [status, count] : report.counts)
        total += count;
    return total;
}

// ` (466 ok, 34 invalid)`: labels first.
std::string kinds_text(const std::map<std::string, std::int64_t>& counts) {
    std::vector<std::string> kinds;
    for (const auto& [status, count] : counts) {
        const bool is_ok = status == queue::status_name(queue::ItemStatus::ok);
        kinds.insert(is_ok ? kinds.begin() : kinds.end(),
                     fmt::format("{} {}", count_text(count), status));
    }
    return kinds.empty() ? "" : fmt::format(" ({})", fmt::join(kinds, ", "));
}

}  // namespace

std::string report_text(const WorkerReport& report) {
    std::string text =
        fmt::format("labeled {} items{} in {:.1f} s, {} tickets; {} left",
                    count_text(num_items(report)), kinds_text(report.counts), report.wall_seconds,
                    count_text(report.tickets), count_text(report.left));
    if (report.elsewhere > 0) {
        text += fmt::format(", {} with other workers", count_text(report.elsewhere));
    }
    if (report.lost > 0) text += fmt::format("; {} leases were lost", count_text(report.lost));
    return text + "\n";
}

std::string report_json(const WorkerReport& report) {
    nlohmann::ordered_json json = {{"items", num_items(report)},
                                   {"counts", report.counts},
                                   {"tickets", report.tickets},
                                   {"tickets_given_back", report.released},
                                   {"leases_lost", report.lost},
                                   {"tickets_left", report.left},
                                   {"tickets_elsewhere", report.elsewhere},
                                   {"wall_seconds", report.wall_seconds},
                                   {"oracle_seconds", report.oracle_seconds}};
    if (report.early_end) json["ended_early"] = printable(report.early_end->what());
    return json.dump(2) + "\n";
}

}  // namespace sluice::oracle
