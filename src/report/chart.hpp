#pragma once

#include "study/svg_plot.hpp"

#include <string>
#include <utility>
#include <vector>

namespace sluice::report {

enum class Spacing { linear, logarithmic };

/// One axis of a chart; `label` with its unit.
struct Axis {
    std::string label;
    double low = 0.0;
    double high = 1.0;
    Spacing spacing = Spacing::linear;
};

/// Room around what is drawn, in the chart's own units (it is 460 wide).
struct ChartFrame {
    double height = 290.0;
    double left = 54.0;
    double right = 14.0;
};

/// A point in the units of the data.
using PlotPoint = std::pair<double, double>;

/// A picture within a page (inline SVG) whose colours are the page's: each mark names a class of
/// the style sheet (page_style.hpp). The same calls give the same bytes. What is not finite is not
/// drawn.
class Chart {
  public:
    /// `description` is for those who cannot see it.
    Chart(std::string description, Axis x, Axis y, ChartFrame frame = {});

    /// Grid, ticks with numbers, and the axes' labels.
    void draw_axes();

    void line(const std::vector<PlotPoint>& points, const std::string& style);
    void band(const std::vector<PlotPoint>& low, const std::vector<PlotPoint>& high,
              const std::string& style);
    void bar(double from, double to, double height, const std::string& style);
    void dot(PlotPoint point, double radius, const std::string& style);
    void cross(PlotPoint point, const std::string& style);
    void box(PlotPoint low, PlotPoint high, const std::string& style);

    /// Words `dx`, `dy` beside a point; `style` says where they are anchored.
    void words(PlotPoint point, PlotPoint shift, const std::string& text, const std::string& style);

    double at_x(double value) const;
    double at_y(double value) const;

    /// Any other mark.
    void add(const std::string& svg) { marks_ += svg; }

    std::string svg() const;

  private:
    std::vector<double> ticks(const Axis& axis, int wanted) const;
    bool is_drawn(PlotPoint point) const;

    std::string description_;
    Axis x_;
    Axis y_;
    ChartFrame frame_;
    std::string marks_;
};

/// A number of at most four digits, as on an axis: `0.05`, `12k`, `3M`.
std::string short_number(double value);

using study::escaped;

}  // namespace sluice::report
