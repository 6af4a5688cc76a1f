#include "report/chart.hpp"

#include <fmt/format.h>

#include <cmath>

namespace sluice::report {
namespace {

constexpr double width = 460.0;
constexpr double top = 30.0;
constexpr double below = 44.0;
constexpr double few_decades = 2.0;

double place(const Axis& axis, double value) {
    if (axis.spacing == Spacing::linear) return (value - axis.low) / (axis.high - axis.low);
    return std::log(value / axis.low) / std::log(axis.high / axis.low);
}

std::vector<double> logarithmic_ticks(const Axis& axis) {
    std::vector<double> ticks;
    const double decades = std::log10(axis.high / axis.low);
    const auto first = static_cast<int>(std::floor(std::log10(axis.low)));
    const auto last = static_cast<int>(std::ceil(std::log10(axis.high)));
    for (int power = first; power <= last; ++power) {
        for (const double digit : {1.0, 2.0, 5.0}) {
            const double tick = digit * std::pow(10.0, power);
            const bool is_wanted = digit == 1.0 || decades <= few_decades;
            if (is_wanted && tick >= axis.low && tick <= axis.high) ticks.push_back(tick);
        }
    }
    return ticks;
}

}  // namespace

Chart::Chart(std::string description, Axis x, Axis y, ChartFrame frame)
    : description_(std::move(description)), x_(std::move(x)), y_(std::move(y)), frame_(frame) {
    for (Axis* axis : {&x_, &y_}) {
        if (axis->high > axis->low) continue;
        const double more = axis->low == 0.0 ? 1.0 : std::fabs(axis->low) * 0.1;
        axis->high = axis->low + more;
        if (axis->spacing == Spacing::linear) axis->low -= more;
    }
}

double Chart::at_x(double value) const {
    return frame_.left + place(x_, value) * (width - frame_.left - frame_.right);
}

double Chart::at_y(double value) const {
    const double bottom = frame_.height - below;
    return bottom - place(y_, value) * (bottom - top);
}

std::vector<double> Chart::ticks(const Axis& axis, int wanted) const {
    if (axis.spacing == Spacing::logarithmic) return logarithmic_ticks(axis);
    return study::axis_ticks(axis.low, axis.high, wanted);
}

bool Chart::is_drawn(PlotPoint point) const {
    return std::isfinite(at_x(point.first)) && std::isfinite(at_y(point.second));
}

void Chart::draw_axes() {
    const double bottom = frame_.height - below;
    const double right = width - frame_.right;
    for (const double tick : ticks(y_, 5)) {
        marks_ += fmt::format(
            "<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>"
            "<text class=\"tick end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
            frame_.left, at_y(tick), right, frame_.left - 7.0, at_y(tick) + 4.0,
            short_number(tick));
    }
    for (const double tick : ticks(x_, 6)) {
        marks_ += fmt::format(
            "<path class=\"axis\" d=\"M{0:.1f} {1:.1f}v4\"/>"
            "<text class=\"tick mid\" x=\"{0:.1f}\" y=\"{2:.1f}\">{3}</text>\n",
            at_x(tick), bottom, bottom + 17.0, short_number(tick));
    }
    marks_ += fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n", frame_.left,
                          bottom, right);
    marks_ += fmt::format("<text class=\"name\" x=\"4\" y=\"15\">{}</text>\n", escaped(y_.label));
    marks_ += fmt::format("<text class=\"name end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", right,
                          frame_.height - 8.0, escaped(x_.label));
}

void Chart::line(const std::vector<PlotPoint>& points, const std::string& style) {
    std::string path;
    bool pen_is_down = false;
    for (const PlotPoint& point : points) {
        const bool is_point = is_drawn(point);
        if (is_point)
            path += fmt::format("{}{:.1f} {:.1f}", pen_is_down ? "L" : "M", at_x(point.first),
                                at_y(point.second));
        pen_is_down = is_point;
    }
    if (!path.empty()) marks_ += fmt::format("<path class=\"{}\" d=\"{}\"/>\n", style, path);
}

void Chart::band(const std::vector<PlotPoint>& low, const std::vector<PlotPoint>& high,
                 const std::string& style) {
    std::string path;
    for (const PlotPoint& point : low) {
        if (is_drawn(point))
            path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", at_x(point.first),
                                at_y(point.second));
    }
    for (auto point = high.rbegin(); point != high.rend(); ++point) {
        if (is_drawn(*point))
            path += fmt::format("L{:.1f} {:.1f}", at_x(point->first), at_y(point->second));
    }
    if (!path.empty()) marks_ += fmt::format("<path class=\"{}\" d=\"{}Z\"/>\n", style, path);
}

void Chart::bar(double from, double to, double height, const std::string& style) {
    if (!(height > y_.low)) return;
    box({from, y_.low}, {to, height}, style);
}

void Chart::box(PlotPoint low, PlotPoint high, const std::string& style) {
    if (!is_drawn(low) || !is_drawn(high)) return;
    marks_ += fmt::format(
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
        style, at_x(low.first), at_y(high.second), at_x(high.first) - at_x(low.first),
        at_y(low.second) - at_y(high.second));
}

void Chart::dot(PlotPoint point, double radius, const std::string& style) {
    if (!is_drawn(point)) return;
    marks_ += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\"/>\n", style,
                          at_x(point.first), at_y(point.second), radius);
}

void Chart::cross(PlotPoint point, const std::string& style) {
    if (!is_drawn(point)) return;
    marks_ += fmt::format("<path class=\"{}\" d=\"M{:.1f} {:.1f}l5 5m0 -5l-5 5\"/>\n", style,
                          at_x(point.first) - 2.5, at_y(point.second) - 2.5);
}

void Chart::words(PlotPoint point, PlotPoint shift, const std::string& text,
                  const std::string& style) {
    if (!is_drawn(point)) return;
    marks_ += fmt::format("<text class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", style,
                          at_x(point.first) + shift.first, at_y(point.second) + shift.second,
                          escaped(text));
}

std::string Chart::svg() const {
    return fmt::format("<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"{}\">\n{}</svg>\n",
                       width, frame_.height, escaped(description_), marks_);
}

std::string short_number(double value) {
    const double size = std::fabs(value);
    if (size >= 1e6) return fmt::format("{:.4g}M", value * 1e-6);
    if (size >= 1e4) return fmt::format("{:.4g}k", value * 1e-3);
    return fmt::format("{:.4g}", value);
}

}  // namespace sluice::report
