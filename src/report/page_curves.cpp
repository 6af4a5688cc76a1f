#include "core/text.hpp"
#include "report/chart.hpp"
#include "report/page_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sluice::report {
namespace {

constexpr double air = 0.06;  // around the data
constexpr double spread_for_decades = 20.0;
constexpr std::size_t most_dots = 1500;
constexpr std::size_t most_targets = 4;

struct Limits {
    double low = std::numeric_limits<double>::infinity();
    double high = -std::numeric_limits<double>::infinity();

    void add(double value) {
        if (!std::isfinite(value)) return;
        low = std::min(low, value);
        high = std::max(high, value);
    }
    Axis axis(const std::string& label) const {
        if (!(low <= high)) return {label, 0.0, 1.0};
        const double more = (high - low) * air;
        return {label, low - more, high + more};
    }
};

std::string arm_words(const std::string& arm) {
    return arm == "active" ? "this campaign" : "by chance";
}

// An error that falls by more than a decade is told apart at its end only on a logarithmic axis.
Axis metric_axis(const Quality& quality) {
    Limits limits;
    double least = std::numeric_limits<double>::infinity();
    limits.add(quality.full_data_value);
    if (quality.full_data_value > 0.0) least = quality.full_data_value;
    for (const MetricCurve& curve : quality.curves) {
        for (const MetricPoint& point : curve.points) {
            least = std::min(least, point.value);
            limits.add(point.value);
            if (!std::isfinite(point.half_width)) continue;
            limits.add(point.value + point.half_width);
            if (point.value > point.half_width) limits.add(point.value - point.half_width);
        }
    }
    const bool falls_far = quality.better == model::Better::lower && limits.low > 0.0 &&
                           limits.high > spread_for_decades * 0.25 * least;
    if (!falls_far) return limits.axis(quality.metric + " on the test rows");
    return {quality.metric + " on the test rows", std::max(limits.low, least * 0.3) * 0.85,
            limits.high * 1.15, Spacing::logarithmic};
}

void draw_curve(const MetricCurve& curve, double floor, Chart& chart) {
    const std::string style = curve.arm == "active" ? "active" : "random";
    std::vector<PlotPoint> middle;
    std::vector<PlotPoint> low;
    std::vector<PlotPoint> high;
    for (const MetricPoint& point : curve.points) {
        middle.emplace_back(point.labels, point.value);
        if (!std::isfinite(point.half_width)) continue;
        low.emplace_back(point.labels, std::max(floor, point.value - point.half_width));
        high.emplace_back(point.labels, point.value + point.half_width);
    }
    chart.band(low, high, "band " + style);
    chart.line(middle, "line " + style);
    for (const PlotPoint& point : middle)
        chart.dot(point, 3.2, "fill " + style);
}

// Beside the ends of the lines, and apart from each other.
void name_curves(const Quality& quality, Chart& chart) {
    constexpr double line_height = 15.0;
    std::vector<double> heights;
    for (const MetricCurve& curve : quality.curves)
        heights.push_back(curve.points.empty() ? not_known : chart.at_y(curve.points.back().value));
    double shift = 0.0;
    if (heights.size() > 1 && std::fabs(heights[0] - heights[1]) < line_height) {
        const double missing = (line_height - std::fabs(heights[0] - heights[1])) / 2.0;
        shift = heights[0] <= heights[1] ? -missing : missing;
    }
    for (const MetricCurve& curve : quality.curves) {
        if (curve.points.empty()) continue;
        const bool is_active = curve.arm == "active";
        const MetricPoint& last = curve.points.back();
        chart.words({last.labels, last.value}, {9.0, 4.0 + (is_active ? shift : -shift)},
                    arm_words(curve.arm), is_active ? "active" : "random");
    }
}

void draw_full_data(const Quality& quality, const Limits& labels, Chart& chart) {
    const double value = quality.full_data_value;
    if (!std::isfinite(value)) return;
    chart.line({{labels.low, value}, {labels.high, value}}, "thin");
    chart.words({labels.low, value}, {2.0, -5.0}, "all data", "quiet");
}

std::string learning_curve(const Quality& quality) {
    if (quality.curves.empty() || quality.curves.front().points.empty()) return {};
    Limits labels;
    for (const MetricCurve& curve : quality.curves) {
        for (const MetricPoint& point : curve.points)
            labels.add(point.labels);
    }
    ChartFrame frame;
    frame.right = 96.0;
    frame.height = 320.0;
    const Axis y = metric_axis(quality);
    Chart chart("Learning curve: " + quality.metric + " against labels", labels.axis("labels"), y,
                frame);
    chart.draw_axes();
    draw_full_data(quality, labels, chart);
    for (auto curve = quality.curves.rbegin(); curve != quality.curves.rend(); ++curve)
        draw_curve(*curve, y.low, chart);
    name_curves(quality, chart);
    std::string caption = fmt::format(
        "Each dot is a round's model on {} test rows that no arm ever trains on; {} is better.",
        count_text(quality.test_rows),
        quality.better == model::Better::higher ? "higher" : "lower");
    if (quality.test_rows > 0) caption += " Bands: 95 % intervals over the choice of test rows.";
    if (y.spacing == Spacing::logarithmic) caption += " The vertical axis is logarithmic.";
    if (std::isfinite(quality.gain_per_100_labels)) {
        caption += fmt::format(" The last round {} {:.3g} per 100 labels.",
                               quality.gain_per_100_labels < 0.0 ? "lost" : "gained",
                               std::fabs(quality.gain_per_100_labels));
    }
    return figure_html({"What labels have brought", chart.svg(), caption});
}

std::string value_html(const MetricPoint& point) {
    if (!std::isfinite(point.half_width)) return number_html(point.value);
    return fmt::format("{:.3g} <small>± {:.1g}</small>", point.value, point.half_width);
}

std::string full_data_text(const Quality& quality) {
    if (!std::isfinite(quality.full_data_value)) return {};
    return fmt::format(
        " A model of all data has {:.3g} on these test rows; an error reaches the "
        "share that the smaller error is of it.",
        quality.full_data_value);
}

std::string curve_table(const Quality& quality) {
    if (quality.curves.empty()) return {};
    std::vector<std::string> headings = {"#Round", "#Labels", "#Cost", "#" + quality.metric};
    const bool has_random = quality.curves.size() > 1;
    if (has_random) headings.emplace_back("#by chance");
    const bool has_full = std::isfinite(quality.full_data_value);
    headings.emplace_back("#gain");
    if (has_full) headings.emplace_back("#of all data's");
    std::vector<std::vector<std::string>> rows;
    for (const MetricPoint& point : quality.curves.front().points) {
        rows.push_back({std::to_string(point.round),
                        count_text(static_cast<std::int64_t>(point.labels)),
                        fmt::format("{:.6g}", point.cost), value_html(point)});
        if (has_random) {
            const auto& others = quality.curves[1].points;
            const auto other = std::ranges::find(others, point.round, &MetricPoint::round);
            rows.back().push_back(value_html(other == others.end() ? MetricPoint{} : *other));
        }
        const double gain = point.gain_per_100_labels;
        rows.back().push_back(std::isfinite(gain) ? fmt::format("{:.2g}", gain)
                                                  : number_html(gain));
        if (has_full) rows.back().push_back(percent_html(point.full_data_share));
    }
    return figure_html({"The same as numbers", table_html(headings, rows),
                        "Rounds before there is a model are shared by both arms. The random arm "
                        "asks for as many rows, at the same cost, in every round. Gain: of this "
                        "campaign's " +
                            escaped(quality.metric) + " for each 100 further labels." +
                            full_data_text(quality),
                        has_full ? "wide" : ""});
}

std::string parity_plot(const TestView& test, std::size_t target) {
    Limits limits;
    const std::vector<ParityPoint>& points = test.parity[target];
    double squares = 0.0;
    for (const ParityPoint& point : points) {
        limits.add(point.truth);
        limits.add(point.predicted);
        squares += (point.predicted - point.truth) * (point.predicted - point.truth);
    }
    const Axis axis = limits.axis("true " + test.targets[target]);
    Chart chart("Predicted against true values", axis, {"predicted", axis.low, axis.high});
    chart.draw_axes();
    chart.line({{axis.low, axis.low}, {axis.high, axis.high}}, "thin");
    const std::size_t count = std::min(points.size(), most_dots);
    for (std::size_t i = 0; i < count; ++i) {
        const ParityPoint& point = points[i * points.size() / count];
        chart.dot({point.truth, point.predicted}, 2.4, "fill point");
    }
    return figure_html(
        {"Predicted against true", chart.svg(),
         fmt::format("The model of round {} on the test rows; on the dotted line it is right. Root "
                     "mean square error {:.4g}{}.",
                     test.round, std::sqrt(squares / static_cast<double>(points.size())),
                     count < points.size()
                         ? fmt::format("; {} of {} rows are drawn", count, points.size())
                         : std::string())});
}

void draw_bins(const TestView& test, Chart& chart) {
    std::vector<PlotPoint> line;
    std::int64_t most = 1;
    for (const CalibrationBin& bin : test.calibration)
        most = std::max(most, bin.rows);
    for (const CalibrationBin& bin : test.calibration)
        line.emplace_back(bin.said, bin.came);
    chart.line(line, "line active");
    for (const CalibrationBin& bin : test.calibration) {
        const double share = static_cast<double>(bin.rows) / static_cast<double>(most);
        const double radius = std::round((2.0 + 5.0 * std::sqrt(share)) * 10.0) / 10.0;
        chart.dot({bin.said, bin.came}, radius, "fill active");
    }
}

std::string reliability_diagram(const TestView& test) {
    Chart chart("Reliability diagram", {"confidence of the prediction", 0.0, 1.0},
                {"share that was right", 0.0, 1.0});
    chart.draw_axes();
    chart.line({{0.0, 0.0}, {1.0, 1.0}}, "thin");
    draw_bins(test, chart);
    return figure_html(
        {"Can its confidence be believed?", chart.svg(),
         fmt::format("Test rows by the model's confidence, 15 bins; larger dots hold more rows. "
                     "Below the dotted line it is too sure. Expected calibration error {:.3g}.",
                     test.calibration_error)});
}

std::string spread_diagram(const TestView& test) {
    Limits limits;
    for (const CalibrationBin& bin : test.calibration) {
        if (bin.said > 0.0) limits.add(bin.said);
        if (bin.came > 0.0) limits.add(bin.came);
    }
    if (!(limits.low <= limits.high)) return {};
    const Axis axis{"members' deviation", limits.low * 0.8, limits.high * 1.25,
                    Spacing::logarithmic};
    Chart chart("Error against the members' deviation", axis,
                {"root mean square error", axis.low, axis.high, Spacing::logarithmic});
    chart.draw_axes();
    chart.line({{axis.low, axis.low}, {axis.high, axis.high}}, "thin");
    draw_bins(test, chart);
    return figure_html(
        {"Does the committee know where it is wrong?", chart.svg(),
         fmt::format("Test rows in bins of equally many, by how much the members differ. A rising "
                     "line: where they differ, errors are larger. Above the dotted line errors are "
                     "larger than the members' deviation. Expected normalised calibration error "
                     "{:.3g}.",
                     test.calibration_error)});
}

}  // namespace

std::string quality_part(const ReportData& data) {
    std::vector<std::string> cards = {learning_curve(data.quality)};
    if (!cards.front().empty()) cards.push_back(curve_table(data.quality));
    const TestView& test = data.test;
    for (std::size_t target = 0; target < std::min(most_targets, test.targets.size()); ++target)
        cards.push_back(parity_plot(test, target));
    if (!test.calibration.empty()) {
        cards.push_back(test.task == model::Task::classification ? reliability_diagram(test)
                                                                 : spread_diagram(test));
    }
    return section_html("How good the model is", "Measured on rows kept aside for testing.", cards);
}

}  // namespace sluice::report
