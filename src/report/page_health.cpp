#include "core/text.hpp"
#include "report/chart.hpp"
#include "report/page_parts.hpp"
#include "report/queue_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace sluice::report {
namespace {

constexpr std::array<const char*, 5> steps = {"plan", "select", "label", "train", "evaluate"};
constexpr std::array<const char*, 5> step_styles = {"pale", "active", "chosen", "other", "random"};

const char* state_style(const std::string& state) {
    if (state == "ingested" || state == "ok") return "other";
    if (state == "queued") return "pale";
    if (state == "leased") return "active";
    return "chosen";
}

// One bar as long as the page, a part for each state.
std::string queue_bar(const QueueView& queue) {
    std::string bar = "<svg viewBox=\"0 0 460 16\" role=\"img\" aria-label=\"items by state\">";
    double at = 0.0;
    for (const auto& [state, count] : queue.states) {
        const double width = 460.0 * static_cast<double>(count) /
                             static_cast<double>(std::max<std::int64_t>(1, queue.items));
        bar += fmt::format(
            "<rect class=\"fill {}\" x=\"{:.1f}\" y=\"0\" width=\"{:.1f}\" height=\"14\"/>",
            state_style(state), at, std::max(0.0, width - 1.0));
        at += width;
    }
    bar += "</svg>\n";
    std::vector<std::pair<std::string, std::string>> entries;
    for (const auto& [state, count] : queue.states)
        entries.emplace_back(state_style(state), count_text(count) + " " + state);
    return fmt::format("<p><b>{}</b> <span class=\"no\">{} items</span></p>\n", escaped(queue.name),
                       count_text(queue.items)) +
           bar + key_html(entries);
}

// How long items of each queue wait for what becomes of them.
std::string waits_table(const std::vector<QueueView>& queues) {
    std::vector<std::vector<std::string>> rows;
    for (const QueueView& queue : queues) {
        const queue::QueueWaits& waits = queue.waits;
        const bool any = waits.done > 0;
        rows.push_back({escaped(queue.name), count_text(waits.done),
                        number_html(any ? waits.median_seconds : not_known),
                        number_html(any ? waits.longest_seconds : not_known),
                        waits.open == 0 ? std::string("–")
                                        : fmt::format("{} since {}", count_text(waits.open),
                                                      utc_text(waits.oldest_issue))});
    }
    return table_html({"Queue", "#Came back", "#median s", "#longest s", "Waiting"}, rows);
}

std::string queues_card(const ReportData& data) {
    if (data.queues.empty()) return {};
    std::string bars;
    for (const QueueView& queue : data.queues)
        bars += queue_bar(queue);
    return figure_html({"Where the items are", bars + waits_table(data.queues),
                        "Ingested: the label is in the label files. Rejected: an item without a "
                        "label, and that has been taken note of. Seconds from the issue of a batch "
                        "to an item's result."});
}

std::string times_card(const OracleView& oracle) {
    if (oracle.counts.empty()) return {};
    double most = 1.0;
    for (const std::int64_t count : oracle.counts)
        most = std::max(most, static_cast<double>(count));
    Chart chart(
        "Histogram of oracle times",
        {"seconds an item", oracle.edges.front(), oracle.edges.back(), Spacing::logarithmic},
        {"items", 0.0, most * 1.08});
    chart.draw_axes();
    for (std::size_t bin = 0; bin < oracle.counts.size(); ++bin) {
        chart.bar(oracle.edges[bin], oracle.edges[bin + 1], static_cast<double>(oracle.counts[bin]),
                  "fill active");
    }
    return figure_html(
        {"How long the oracle takes", chart.svg(),
         fmt::format("{} results, median {:.3g} s, longest {:.3g} s, {:.4g} s in all. Logarithmic "
                     "axis.{}",
                     count_text(oracle.results), oracle.median_seconds, oracle.longest_seconds,
                     oracle.seconds,
                     oracle.left_out > 0 ? fmt::format(" {} result files are not in it.",
                                                       count_text(oracle.left_out))
                                         : std::string())});
}

std::string regions_text(const std::vector<std::int64_t>& by_region) {
    std::string text;
    for (std::size_t region = 0; region < by_region.size(); ++region) {
        if (by_region[region] == 0) continue;
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", region_name(region),
                            by_region[region]);
    }
    return text;
}

std::string failures_card(const OracleView& oracle) {
    if (oracle.results == 0) return {};
    if (oracle.reasons.empty()) {
        return figure_html({"Why items failed", "<p>None has.</p>\n", "Every result is a label."});
    }
    std::vector<std::vector<std::string>> rows;
    for (const Reason& reason : oracle.reasons) {
        rows.push_back({count_text(reason.items), escaped(reason.status), escaped(reason.text),
                        regions_text(reason.by_region)});
    }
    return figure_html({"Why items failed",
                        table_html({"#Items", "Status", "Reason", "Regions"}, rows),
                        "Regions are those of the map, with the items that failed there."});
}

// Nine cells as they lie on the map: how many of what was asked there have failed.
std::string failure_map(const OracleView& oracle) {
    if (oracle.asked_by_region.empty() || oracle.reasons.empty()) return {};
    std::string text =
        "<svg viewBox=\"0 0 460 190\" role=\"img\" aria-label=\"failures by region\">\n";
    for (std::size_t region = 0; region < num_regions; ++region) {
        const double x = 20.0 + 142.0 * static_cast<double>(region / 3);
        const double y = 128.0 - 62.0 * static_cast<double>(region % 3);
        const auto asked = static_cast<double>(oracle.asked_by_region[region]);
        const double share =
            asked > 0.0 ? static_cast<double>(oracle.failed_by_region[region]) / asked : 0.0;
        text += fmt::format(
            "<rect class=\"fill chosen\" fill-opacity=\"{:.2f}\" x=\"{:.0f}\" y=\"{:.0f}\" "
            "width=\"138\" height=\"58\" rx=\"4\"/>"
            "<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"138\" height=\"58\" rx=\"4\" fill=\"none\" "
            "stroke=\"var(--line)\"/>"
            "<text class=\"quiet\" x=\"{:.0f}\" y=\"{:.0f}\">{}</text>"
            "<text class=\"mid\" x=\"{:.0f}\" y=\"{:.0f}\">{} of {}</text>\n",
            0.75 * share, x, y, x, y, x + 7.0, y + 17.0, region_name(region), x + 69.0, y + 36.0,
            oracle.failed_by_region[region], oracle.asked_by_region[region]);
    }
    return figure_html({"Where items failed", text + "</svg>\n",
                        "Items without a label of those asked for, by region of the map; the "
                        "darker, the larger the share."});
}

std::vector<std::vector<std::string>> rule_rows(const std::vector<campaign::RuleOutcome>& rules) {
    std::vector<std::vector<std::string>> rows;
    for (const campaign::RuleOutcome& rule : rules) {
        rows.push_back({"<span>" + escaped(rule.text) + "</span>",
                        rule.holds ? "<span class=\"yes\">holds</span>"
                                   : "<span class=\"no\">not yet</span>"});
    }
    return rows;
}

std::string seconds_chart(const ReportData& data) {
    double most = 0.0;
    double first = 0.0;
    double last = 0.0;
    bool is_first = true;
    for (const RoundView& round : data.active().rounds) {
        if (!round.timings) continue;
        if (is_first) first = static_cast<double>(round.round);
        is_first = false;
        last = static_cast<double>(round.round);
        most = std::max(most, round.timings->total());
    }
    if (!(most > 0.0)) return {};
    ChartFrame frame;
    frame.height = 250.0;
    Chart chart("Seconds of each step by round", {"round", first - 0.6, last + 0.6},
                {"seconds", 0.0, most * 1.08}, frame);
    chart.draw_axes();
    std::vector<std::pair<std::string, std::string>> entries;
    for (std::size_t i = 0; i < steps.size(); ++i)
        entries.emplace_back(step_styles[i], steps[i]);
    for (const RoundView& round : data.active().rounds) {
        if (!round.timings) continue;
        double from = 0.0;
        const auto number = static_cast<double>(round.round);
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const auto found = round.timings->seconds.find(steps[i]);
            if (found == round.timings->seconds.end()) continue;
            chart.box({number - 0.32, from}, {number + 0.32, from + found->second},
                      std::string("fill ") + step_styles[i]);
            from += found->second;
        }
    }
    return figure_html({"Where the time went", key_html(entries) + chart.svg(),
                        "Wall time of each step, all arms together."});
}

// The last round whose ranks have been recorded.
std::string ranks_card(const ReportData& data) {
    const auto& rounds = data.active().rounds;
    const auto round = std::find_if(rounds.rbegin(), rounds.rend(), [](const RoundView& view) {
        return view.timings && !view.timings->ranks.empty();
    });
    if (round == rounds.rend()) return {};
    std::vector<std::vector<std::string>> rows;
    for (const char* step : steps) {
        const auto ranks = round->timings->ranks.find(step);
        if (ranks == round->timings->ranks.end()) continue;
        for (std::size_t rank = 0; rank < ranks->second.size(); ++rank) {
            const campaign::RankUse& use = ranks->second[rank];
            rows.push_back({step, std::to_string(rank), fmt::format("{:.3g}", use.cpu_seconds),
                            bytes_text(static_cast<double>(use.bytes_read)),
                            bytes_text(static_cast<double>(use.bytes_received))});
        }
    }
    return figure_html({fmt::format("What each rank did in round {}", round->round),
                        table_html({"Step", "#Rank", "#CPU s", "#Read", "#Received"}, rows),
                        "CPU time with that of the oracles a rank has run; bytes by its read "
                        "calls, and from other "
                        "ranks."});
}

}  // namespace

std::string label_part(const ReportData& data) {
    return section_html("Labels", "What became of the items that were asked for.",
                        {queues_card(data), times_card(data.oracle), failures_card(data.oracle),
                         failure_map(data.oracle)});
}

std::string stop_part(const ReportData& data) {
    const Advice& advice = data.advice;
    std::vector<std::string> cards;
    const std::vector<std::string> headings = {"Rule", ""};
    if (!advice.rules.empty()) {
        cards.push_back(
            figure_html({"This campaign's rules", table_html(headings, rule_rows(advice.rules)),
                         "They end it."}));
    }
    if (!advice.customary.empty()) {
        cards.push_back(figure_html({"Others, at customary thresholds",
                                     table_html(headings, rule_rows(advice.customary)),
                                     "Not set here; they end nothing."}));
    }
    const std::string lead = advice.decision ? "It has ended: " + escaped(*advice.decision) + "."
                                             : std::string("None of the rules ends it yet.");
    return section_html("When to stop", lead, cards);
}

std::string work_part(const ReportData& data) {
    return section_html("What it took", "Measured while it ran; differs from run to run.",
                        {seconds_chart(data), ranks_card(data)});
}

}  // namespace sluice::report
