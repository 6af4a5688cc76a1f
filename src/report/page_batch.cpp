#include "campaign/campaign_keys.hpp"
#include "core/text.hpp"
#include "report/chart.hpp"
#include "report/page_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sluice::report {
namespace {

constexpr std::size_t rows_shown = 20;
constexpr std::size_t most_rows = 500;
constexpr std::size_t hash_digits = 16;

std::string label_text(const ChosenRow& chosen) {
    if (chosen.status.empty()) return "<span class=\"no\">waits</span>";
    if (chosen.status != "ok")
        return fmt::format("<span class=\"bad\">{}</span>", escaped(chosen.status));
    std::string text;
    for (const double value : chosen.y)
        text += (text.empty() ? "" : ", ") + fmt::format("{:.6g}", value);
    return text;
}

std::vector<std::string> line_cells(const BatchLine& line) {
    const ChosenRow& chosen = line.chosen;
    return {std::to_string(chosen.rank), std::to_string(chosen.row),   escaped(chosen.id),
            number_html(chosen.score),   number_html(chosen.distance), line.region,
            label_text(chosen),          escaped(line.reason)};
}

std::string batch_table(const ReportData& data, std::size_t first, std::size_t last) {
    std::vector<std::vector<std::string>> rows;
    for (std::size_t i = first; i < last; ++i)
        rows.push_back(line_cells(data.batch[i]));
    return table_html({"#Rank", "#Row", "Id", "#Score", "#Distance", "Region", "Label", "~Why"},
                      rows);
}

std::string short_hash(const std::string& hash) {
    return hash.empty() ? std::string("–")
                        : "<code>" + escaped(hash.substr(0, hash_digits)) + "</code>";
}

std::string versions_table(const ReportData& data) {
    std::vector<std::vector<std::string>> rows;
    for (const ArmView& arm : data.arms) {
        for (const RoundView& round : arm.rounds) {
            if (!round.versions) continue;
            const campaign::RoundVersions& versions = *round.versions;
            rows.push_back({std::to_string(round.round), escaped(arm.arm.name),
                            short_hash(versions.batch), short_hash(versions.labels),
                            short_hash(versions.model), short_hash(versions.pool),
                            short_hash(versions.oracle), escaped(versions.sluice)});
        }
    }
    if (rows.empty()) return {};
    return figure_html(
        {"What each round was made of",
         table_html({"#Round", "Arm", "Batch", "Labels", "Model", "Pool", "Oracle", "sluice"},
                    rows),
         "First 16 digits of SHA-256 hashes, as in <code>versions.json</code>.", "wide"});
}

std::string settings_table(const ReportData& data) {
    if (!data.spec) return {};
    std::vector<std::vector<std::string>> rows;
    for (const campaign::CampaignKey& key : campaign::campaign_keys()) {
        const auto value = data.spec->values.find(key.section + "." + key.name);
        if (value == data.spec->values.end()) continue;
        const bool is_default = value->second == key.default_text;
        rows.push_back(
            {"<code>" + escaped(key.section) + "</code>", "<code>" + escaped(key.name) + "</code>",
             "<code>" + escaped(value->second) + "</code>",
             is_default ? "<span class=\"no\">default</span>" : "<span class=\"yes\">set</span>",
             escaped(key.unit)});
    }
    return figure_html({"Settings",
                        "<details><summary>All keys of the campaign file</summary>\n" +
                            table_html({"Section", "Key", "Value", "", "Unit"}, rows) +
                            "</details>\n",
                        fmt::format("Seed {}. Random choices are functions of seed, round and row "
                                    "alone.",
                                    data.spec->seed),
                        "wide"});
}

}  // namespace

std::string batch_part(const ReportData& data) {
    if (data.batch.empty()) return {};
    const std::size_t shown = std::min(rows_shown, data.batch.size());
    const std::size_t last = std::min(most_rows, data.batch.size());
    std::string table = batch_table(data, 0, shown);
    if (last > shown) {
        table += fmt::format("<details><summary>{} more</summary>\n", last - shown) +
                 batch_table(data, shown, last) + "</details>\n";
    }
    std::string caption = "In the order of the selection.";
    if (last < data.batch.size()) {
        caption += fmt::format(
            " The first {} of {} rows; all are in <code>rounds/{:04}/selected.csv"
            "</code>.",
            last, count_text(std::ssize(data.batch)), data.batch_round);
    }
    return section_html(fmt::format("The batch of round {}", data.batch_round),
                        "Every row that was asked for, what came of it, and why it was chosen.",
                        {figure_html({fmt::format("{} rows", count_text(std::ssize(data.batch))),
                                      table, caption, "wide"})});
}

std::string provenance_part(const ReportData& data) {
    return section_html("Provenance", "What to cite, and what to run again.",
                        {versions_table(data), settings_table(data)});
}

}  // namespace sluice::report
