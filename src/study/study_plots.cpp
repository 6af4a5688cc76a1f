#include "study/study_plots.hpp"

#include "core/durable_file.hpp"
#include "core/text.hpp"
#include "study/svg_plot.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace sluice::study {
namespace {

enum class Against { labels, cost };

PlotSeries series_of(const ArmSummary& arm, Against against) {
    PlotSeries series;
    series.name = arm.name;
    if (arm.name == random_arm_name) series.style = PlotSeries::Style::dashed;
    for (const MeanPoint& point : arm.curve) {
        const double half = std::isfinite(point.value.half_width) ? point.value.half_width : 0.0;
        series.x.push_back(against == Against::labels ? point.labels : point.cost);
        series.y.push_back(point.value.mean);
        series.low.push_back(point.value.mean - half);
        series.high.push_back(point.value.mean + half);
    }
    return series;
}

Plot plot_of(const StudyRequest& request, const DataResult& result, const StudySummary& summary,
             Against against) {
    Plot plot;
    plot.title = result.name;
    plot.x_label = against == Against::labels ? "labels" : "cost of the labels";
    plot.y_label = summary.measure.name + (result.unit.empty() ? "" : " (" + result.unit + ")");
    plot.note = fmt::format("mean of {} seeds and its 95 % interval; test part of {} rows",
                            request.num_seeds, count_text(result.test_rows));
    // The random arm is drawn last, on top, and named last.
    for (std::size_t i = 1; i < summary.arms.size(); ++i)
        plot.series.push_back(series_of(summary.arms[i], against));
    plot.series.push_back(series_of(summary.arms.front(), against));
    plot.levels.push_back({fmt::format("target {:.4g}", summary.target), summary.target});
    if (summary.all_labels)
        plot.levels.push_back({"a label for all rows", summary.all_labels->mean});
    return plot;
}

}  // namespace

void write_plots(const StudyRequest& request, const DataResult& result,
                 const StudySummary& summary) {
    if (!std::isfinite(summary.target)) return;
    const std::string start = request.out + "/" + result.name + "." + summary.measure.name;
    publish_text_file(start + ".svg", svg_text(plot_of(request, result, summary, Against::labels)));
    if (request.reading.costs == StudyReading::Costs::equal) return;
    publish_text_file(start + ".cost.svg",
                      svg_text(plot_of(request, result, summary, Against::cost)));
}

}  // namespace sluice::study
