#include "core/text.hpp"
#include "labels/ingest.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::labels {
namespace {

// `1 label`, `2 labels`
std::string counted(std::int64_t count, const std::string& noun) {
    return count_text(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string joined(const std::vector<std::string>& parts) {
    std::string text;
    for (const std::string& part : parts)
        text += (text.empty() ? "" : ", ") + part;
    return text;
}

std::string failures_text(const IngestReport& report) {
    std::int64_t total = 0;
    std::vector<std::string> parts;
    for (const auto& [status, count] : report.failures) {
        total += count;
        parts.push_back(count_text(count) + " " + status);
    }
    return count_text(total) + " without a label: " + joined(parts);
}

// `1 line rejected` and so on, of what there was.
std::vector<std::string> details(const IngestReport& report) {
    std::vector<std::string> parts;
    const auto add = [&](std::int64_t count, const std::string& noun, const std::string& verb) {
        if (count > 0) parts.push_back(counted(count, noun) + verb);
    };
    add(report.repeats, "repeat", "");
    add(report.conflicts, "conflict", "");
    add(report.disagreements, "disagreement", "");
    add(report.rejected, "line", " rejected");
    add(report.refusals, "refusal", "");
    if (!report.failures.empty()) parts.push_back(failures_text(report));
    add(std::ssize(report.damaged), "damaged file", " left in place");
    add(std::ssize(report.forbidden), "forbidden file", " left in place");
    return parts;
}

std::string generations_text(const IngestReport& report) {
    std::string text = printable(report.generations.front());
    if (report.generations.size() > 1) {
        text += " to " + printable(report.generations.back()) + " (" +
                counted(std::ssize(report.generations), "file") + ")";
    }
    return text;
}

}  // namespace

std::string ingest_text(const IngestReport& report) {
    const std::vector<std::string> parts = details(report);
    const std::string rest = parts.empty() ? "" : " (" + joined(parts) + ")";
    if (report.generations.empty()) {
        const bool idle = report.files == 0 && parts.empty();
        return (idle ? "nothing to ingest: no results are waiting" : "no new labels" + rest) + "\n";
    }
    return fmt::format("ingested {} into {}{}\n", counted(report.labels, "label"),
                       generations_text(report), rest);
}

std::string ingest_json(const IngestReport& report) {
    const nlohmann::ordered_json json = {{"labels", report.labels},
                                         {"repeats", report.repeats},
                                         {"conflicts", report.conflicts},
                                         {"disagreements", report.disagreements},
                                         {"rejected", report.rejected},
                                         {"refusals", report.refusals},
                                         {"failures", report.failures},
                                         {"files", report.files},
                                         {"damaged", report.damaged},
                                         {"generations", report.generations},
                                         {"conflict_files", report.conflict_files}};
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace sluice::labels
