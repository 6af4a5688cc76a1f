#include "report/page.hpp"

#include "core/text.hpp"
#include "report/chart.hpp"
#include "report/page_parts.hpp"
#include "report/page_style.hpp"
#include "report/report_summary.hpp"

#include <fmt/format.h>

#include <cmath>

namespace sluice::report {
namespace {

std::string tile(const std::string& name, const std::string& value, const std::string& more) {
    return fmt::format("<div class=\"tile\"><span>{}</span><b>{}</b><small>{}</small></div>\n",
                       escaped(name), escaped(value), escaped(more));
}

// What this campaign took to be as good as the random arm is with all its labels.
std::string saving_tile(const Quality& quality) {
    const Comparison& comparison = quality.comparison;
    if (!comparison.labels_to_match || comparison.random_labels <= 0.0) return {};
    return tile("To match chance",
                count_text(static_cast<std::int64_t>(*comparison.labels_to_match)),
                fmt::format("labels, where the random arm took {}",
                            count_text(static_cast<std::int64_t>(comparison.random_labels))));
}

std::string metric_tiles(const ReportData& data) {
    const Quality& quality = data.quality;
    if (quality.curves.empty() || quality.curves.front().points.empty()) return {};
    const MetricPoint& last = quality.curves.front().points.back();
    const std::string interval = std::isfinite(last.half_width)
                                     ? fmt::format("± {:.2g} by the choice of {} test rows",
                                                   last.half_width, count_text(quality.test_rows))
                                     : std::string("interval not known");
    std::string text = tile(quality.metric, fmt::format("{:.3g}", last.value), interval);
    const Difference& difference = quality.comparison.last_round;
    if (std::isfinite(difference.mean)) {
        text += tile(
            "Against chance", fmt::format("{:+.3g}", difference.mean),
            fmt::format("± {:.2g} in round {}; {} is better", difference.half_width, last.round,
                        quality.better == model::Better::higher ? "more" : "less"));
    }
    return text + saving_tile(quality);
}

std::string tiles(const ReportData& data) {
    std::int64_t ok = 0;
    std::int64_t asked = 0;
    std::int64_t failed = 0;
    for (const RoundView& round : data.active().rounds) {
        ok += round.num_ok;
        failed += round.num_failed;
        asked += std::ssize(round.chosen);
    }
    double cost = 0.0;
    std::int64_t complete = 0;
    std::int64_t labels = ok;
    for (const RoundView& round : data.active().rounds) {
        if (round.record) cost = round.record->cost;
        if (round.record) labels = round.record->labels;
        complete += round.is_complete ? 1 : 0;
    }
    std::string text = tile(
        "Labels", count_text(labels),
        fmt::format("{} asked for, {} without a label", count_text(asked), count_text(failed)));
    text += tile("Cost", fmt::format("{:.6g}", cost),
                 data.arms.size() > 1 ? "without the random arm's" : "of all items asked for");
    text += tile("Rounds", count_text(complete),
                 data.last_round() != nullptr && !data.last_round()->is_complete
                     ? fmt::format("round {} is under way", data.last_round()->round)
                     : std::string("all complete"));
    return "<div class=\"tiles\">\n" + text + metric_tiles(data) + "</div>\n";
}

std::string gaps_box(const std::vector<Gap>& gaps) {
    if (gaps.empty()) return {};
    std::string text = "<div class=\"gaps\"><h3>What is missing on this page</h3><ul>\n";
    for (const Gap& gap : gaps)
        text += fmt::format("<li><b>{}</b>: {}</li>\n", escaped(gap.part), escaped(gap.reason));
    return text + "</ul></div>\n";
}

}  // namespace

std::string page_text(const ReportData& data) {
    std::string page = fmt::format(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
        "<link rel=\"icon\" href=\"data:,\">\n"
        "<title>{0}: campaign report</title>\n<style>{1}</style>\n</head>\n<body>\n<main>\n"
        "<header>\n<p class=\"eyebrow\">Campaign {0}</p>\n<h1>{2}.</h1>\n<p "
        "class=\"lead\">{3}</p>\n"
        "</header>\n",
        escaped(data.name), page_style(), escaped(headline(data)), escaped(verdict_text(data)));
    page += tiles(data) + gaps_box(data.gaps) + quality_part(data) + pool_part(data);
    page += batch_part(data) + label_part(data) + stop_part(data) + work_part(data);
    page += provenance_part(data);
    return page +
           "<footer>Written by sluice report from the campaign's files; the same files give "
           "the same page.</footer>\n</main>\n</body>\n</html>\n";
}

}  // namespace sluice::report
