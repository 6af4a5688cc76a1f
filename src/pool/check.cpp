#include "pool/check.hpp"

#include "pool/check_findings.hpp"
#include "pool/check_ids.hpp"
#include "pool/check_metadata.hpp"
#include "pool/check_values.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>

namespace sluice::pool {
namespace {

using Severity = Finding::Severity;

std::int64_t stored_bytes_of(const Pool& pool) {
    std::int64_t bytes = 0;
    for (const auto& [role, dataset] : pool.datasets) {
        if (row_rule_of(dataset) || role == "ids") bytes += dataset.num_rows * dataset.row_bytes();
    }
    return bytes;
}

// Rank 0's findings on every rank.
void broadcast(std::vector<Finding>& findings, comm::Communicator& world) {
    nlohmann::json list = nlohmann::json::array();
    for (const Finding& finding : findings) {
        list.push_back({finding.severity == Severity::error, finding.message});
    }
    std::string bytes = list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    world.broadcast(bytes);
    findings.clear();
    for (const auto& entry : nlohmann::json::parse(bytes)) {
        const auto severity = entry.at(0).get<bool>() ? Severity::error : Severity::advice;
        findings.push_back({severity, entry.at(1).get<std::string>()});
    }
}

}  // namespace

bool CheckReport::ok() const {
    return std::none_of(findings.begin(), findings.end(),
                        [](const Finding& finding) { return finding.severity == Severity::error; });
}

CheckReport check_pool(const Pool& pool, int num_threads, comm::Communicator& world) {
    const auto start = std::chrono::steady_clock::now();
    CheckReport report;
    const std::vector<Tallies> tallies = scan_values(pool, num_threads, world);
    std::vector<std::string> id_errors;
    if (const Dataset* const ids = pool.find("ids")) id_errors = check_ids(*ids, world);
    world.agree([&] {
        if (!world.is_root()) return;
        report.findings = describe_shapes(pool);
        auto next = tallies.begin();
        for (const auto& [role, dataset] : pool.datasets) {
            const std::vector<Finding> found = describe_tallies(dataset, *next++);
            report.findings.insert(report.findings.end(), found.begin(), found.end());
        }
        for (const std::string& message : id_errors) {
            report.findings.push_back({Severity::error, message});
        }
        const std::vector<Finding> layouts = describe_layouts(pool);
        report.findings.insert(report.findings.end(), layouts.begin(), layouts.end());
        std::stable_partition(
            report.findings.begin(), report.findings.end(),
            [](const Finding& finding) { return finding.severity == Severity::error; });
    });
    broadcast(report.findings, world);
    report.bytes_read = stored_bytes_of(pool);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    report.seconds = world.max(elapsed.count());
    return report;
}

}  // namespace sluice::pool
