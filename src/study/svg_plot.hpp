#pragma once

#include <string>
#include <vector>

namespace sluice::study {

/// A curve with a band around it.
struct PlotSeries {
    enum class Style { solid, dashed };

    std::string name;
    std::vector<double> x;     ///< ascending
    std::vector<double> y;     ///< the same number of points; NaN leaves a gap
    std::vector<double> low;   ///< lower edge of the band, or empty: no band
    std::vector<double> high;  ///< upper edge
    Style style = Style::solid;
};

/// A straight line across the plot, such as a target.
struct PlotLevel {
    std::string name;
    double y = 0.0;
};

struct Plot {
    std::string title;
    std::string x_label;  ///< with unit, as in "labels"
    std::string y_label;
    std::string note;  ///< small print below
    std::vector<PlotSeries> series;
    std::vector<PlotLevel> levels;
};

/// The plot as a picture of its own (SVG 1.1, 840 x 500): axes with ticks, grid, bands, a legend
/// beside it. Colours can be told apart by the colour-blind. The same bytes for the same plot.
std::string svg_text(const Plot& plot);

/// Round numbers (1, 2 or 5 times a power of ten apart) that divide [low, high] into about `wanted`
/// parts, from within it.
std::vector<double> axis_ticks(double low, double high, int wanted);

/// Text as it may stand in SVG and HTML; control characters are spelt out.
std::string escaped(const std::string& text);

}  // namespace sluice::study
