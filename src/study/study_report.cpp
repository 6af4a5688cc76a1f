#include "study/study_report.hpp"

#include "core/durable_file.hpp"
#include "core/text.hpp"
#include "study/study_files.hpp"
#include "study/study_plots.hpp"
#include "study/study_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace sluice::study {
namespace {

constexpr std::size_t most_curve_lines = 16;

std::string number(double value) {
    return std::isfinite(value) ? fmt::format("{:.4g}", value) : "-";
}

std::string with_half_width(const Estimate& estimate) {
    return number(estimate.mean) + " +- " + number(estimate.half_width);
}

std::string or_never(const std::optional<double>& labels) {
    return labels ? fmt::format("{:.0f}", *labels) : "not reached";
}

std::size_t name_width(const StudySummary& summary) {
    std::size_t width = 10;
    for (const ArmSummary& arm : summary.arms)
        width = std::max(width, arm.name.size());
    return width;
}

std::string facts_line(const DataResult& result, const StudyRequest& request) {
    const bool classes = result.task == model::Task::classification;
    return fmt::format(
        "{}: {} labeled rows of {} features, {} {}; {} for the test; {} seeds, {} labels at the "
        "start, {} rounds of {}\n",
        result.name, count_text(result.rows), count_text(result.dim), count_text(result.outputs),
        classes               ? "classes"
        : result.outputs == 1 ? "number"
                              : "numbers",
        count_text(result.test_rows), request.num_seeds, request.rules.split.start,
        request.rules.rounds, request.rules.batch);
}

// Lines of a curve that are shown: all, or evenly spread with the first and the last.
std::vector<std::size_t> shown_lines(std::size_t count) {
    std::vector<std::size_t> lines;
    const std::size_t shown = std::min(count, most_curve_lines);
    for (std::size_t i = 0; i < shown; ++i)
        lines.push_back(shown == 1 ? 0 : i * (count - 1) / (shown - 1));
    return lines;
}

std::string curve_table(const StudySummary& summary, const std::string& unit) {
    const std::size_t width = name_width(summary);
    std::string text = fmt::format("mean {}{} by number of labels\n{:>10}", summary.measure.name,
                                   unit.empty() ? "" : " (" + unit + ")", "labels");
    std::size_t count = 0;
    for (const ArmSummary& arm : summary.arms) {
        text += fmt::format("  {:>{}}", arm.name, width);
        count = std::max(count, arm.curve.size());
    }
    text += "\n";
    for (const std::size_t line : shown_lines(count)) {
        const ArmSummary* longest = &summary.arms.front();
        for (const ArmSummary& arm : summary.arms) {
            if (arm.curve.size() == count) longest = &arm;
        }
        text += fmt::format("{:>10.0f}", longest->curve[line].labels);
        for (const ArmSummary& arm : summary.arms) {
            const bool has = line < arm.curve.size();
            text += fmt::format("  {:>{}}", has ? number(arm.curve[line].value.mean) : "-", width);
        }
        text += "\n";
    }
    return text;
}

std::string comparison(const ArmSummary& arm) {
    if (!arm.against_random) return {};
    const PairedTest& test = *arm.against_random;
    const double mean = test.difference.mean;
    const double half = test.difference.half_width;
    return fmt::format("{:>+9.3g} ({:+.3g} to {:+.3g})  {:>8.2g}  {:>4.0f} %  {}", mean,
                       mean - half, mean + half, arm.adjusted_p, 100.0 * test.wins,
                       verdict_text(arm.verdict));
}

std::string arm_table(const StudySummary& summary) {
    const std::size_t width = name_width(summary);
    std::string text =
        fmt::format("{:<{}}  {:>20}  {:>20}  {:>12}  {:<30}  {:>8}  {:>6}\n", "arm", width, "final",
                    "area under curve", "to target", "area - random's (95 %)", "p", "wins");
    for (const ArmSummary& arm : summary.arms) {
        std::string line = fmt::format("{:<{}}  {:>20}  {:>20}  {:>12}  {}", arm.name, width,
                                       with_half_width(arm.final_value), with_half_width(arm.area),
                                       or_never(arm.labels_to_target), comparison(arm));
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    if (summary.all_labels) {
        text += fmt::format("{:<{}}  {:>20}\n", all_labels_name, width,
                            with_half_width(*summary.all_labels));
    }
    return text;
}

// What a study knows better than a campaign: how many pseudo-labels were wrong.
std::string pseudo_lines(const DataResult& result) {
    std::string text;
    for (const Arm& arm : result.arms) {
        const PseudoCount count = count_pseudo(arm);
        if (count.labels == 0) continue;
        text += fmt::format(
            "pseudo-labels of {}: {} in {} trainings, {:.2f} % of them wrong\n", arm.name,
            count_text(count.labels), count_text(count.trainings),
            100.0 * static_cast<double>(count.wrong) / static_cast<double>(count.labels));
    }
    return text;
}

std::string target_line(const StudySummary& summary, const StudyRequest& request) {
    std::string text = fmt::format("target: {} {} ({})", summary.measure.name,
                                   number(summary.target), summary.target_text);
    if (request.reading.costs == StudyReading::Costs::from_pool) {
        text += "; cost to it:";
        for (const ArmSummary& arm : summary.arms) {
            text += fmt::format(" {} {}", arm.name,
                                arm.cost_to_target ? number(*arm.cost_to_target) : "not reached");
        }
    }
    return text +
           "\n+- and intervals: 95 % by Student's t over the seeds; p: two-sided paired t-test, "
           "Holm-adjusted\n";
}

}  // namespace

std::string write_study_report(const StudyRequest& request,
                               const std::vector<DataResult>& results) {
    std::string text;
    std::vector<StudySummary> all;
    for (const DataResult& result : results) {
        const std::size_t reported = reported_measure(result.task, request);
        for (std::size_t which = 0; which < measures_of(result.task).size(); ++which) {
            const StudySummary summary = summarize(result, which, request);
            write_plots(request, result, summary);
            if (which == reported) {
                text += facts_line(result, request) + curve_table(summary, result.unit) +
                        arm_table(summary) + pseudo_lines(result) + target_line(summary, request) +
                        "\n";
            }
            all.push_back(summary);
        }
    }
    publish_text_file(request.out + "/curves.csv", curves_csv(request, results));
    publish_text_file(request.out + "/summary.csv", summary_csv(results, all));
    publish_text_file(request.out + "/summary.json", summary_json(request, results, all));
    return text + "written to " + request.out +
           " (curves.csv, summary.csv, summary.json, plots as SVG)\n";
}

}  // namespace sluice::study
