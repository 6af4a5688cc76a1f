#include "core/text.hpp"
#include "queue/exchange.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace sluice::queue {

std::string import_text(const ImportReport& report) {
    std::string text = fmt::format(
        "{} new labels, {} skipped, {} imported before, {} unanswered, {} rejected; {} tickets "
        "finished\n",
        count_text(report.labels), count_text(report.skipped), count_text(report.repeats),
        count_text(report.unanswered), count_text(std::ssize(report.rejected)),
        count_text(report.tickets_finished));
    for (const std::string& problem : report.rejected)
        text += "  rejected: " + printable(problem) + "\n";
    return text;
}

std::string import_json(const ImportReport& report) {
    nlohmann::ordered_json json = {{"labels", report.labels},
                                   {"skipped", report.skipped},
                                   {"repeats", report.repeats},
                                   {"unanswered", report.unanswered},
                                   {"rejected", nlohmann::ordered_json::array()},
                                   {"tickets_finished", report.tickets_finished}};
    for (const std::string& problem : report.rejected)
        json["rejected"].push_back(printable(problem));
    return json.dump(2) + "\n";
}

}  // namespace sluice::queue
