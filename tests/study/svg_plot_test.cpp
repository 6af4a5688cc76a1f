#include "study/svg_plot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>
#include <sstream>

namespace sluice::study {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Plot sample() {
    Plot plot;
    plot.title = "digits <& \"friends\">";
    plot.x_label = "labels";
    plot.y_label = "accuracy";
    plot.series = {{"two_stage",
                    {0, 50, 100},
                    {0.5, 0.8, 0.9},
                    {0.4, 0.7, 0.85},
                    {0.6, 0.9, 0.95},
                    PlotSeries::Style::solid},
                   {"random", {0, 50, 100}, {0.5, 0.6, 0.7}, {}, {}, PlotSeries::Style::dashed}};
    plot.levels = {{"target", 0.7}};
    return plot;
}

// The points of the curve number `which` in picture coordinates.
std::vector<std::pair<double, double>> curve(const std::string& svg, int which) {
    const std::regex pattern("<path d=\"([^\"]*)\" fill=\"none\" stroke=\"[^\"]*\" stroke-width");
    auto found = std::sregex_iterator(svg.begin(), svg.end(), pattern);
    std::advance(found, which);
    std::string text = (*found)[1];
    for (char& letter : text) {
        if (letter == 'M' || letter == 'L') letter = ' ';
    }
    std::istringstream numbers(text);
    std::vector<std::pair<double, double>> points;
    for (double x = 0.0, y = 0.0; numbers >> x >> y;)
        points.emplace_back(x, y);
    return points;
}

TEST(SvgPlot, ticks_are_round_and_inside) {
    EXPECT_THAT(axis_ticks(0.0, 100.0, 6), ElementsAre(0, 20, 40, 60, 80, 100));
    EXPECT_THAT(
        axis_ticks(-0.3, 0.9, 6),
        ElementsAre(DoubleNear(-0.2, 1e-12), 0, DoubleNear(0.2, 1e-12), DoubleNear(0.4, 1e-12),
                    DoubleNear(0.6, 1e-12), DoubleNear(0.8, 1e-12)));
    EXPECT_THAT(axis_ticks(1.2e-7, 3.9e-7, 3),
                ElementsAre(DoubleNear(2e-7, 1e-15), DoubleNear(3e-7, 1e-15)));
}

TEST(SvgPlot, curves_lie_where_their_numbers_say) {
    const std::string svg = svg_text(sample());
    const auto active = curve(svg, 0);
    const auto random = curve(svg, 1);
    ASSERT_EQ(active.size(), 3U);
    ASSERT_EQ(random.size(), 3U);
    EXPECT_NEAR(active[1].first, (active[0].first + active[2].first) / 2.0, 0.11);
    EXPECT_EQ(active[0], random[0]);
    // Up is less in a picture; 0.1 is the same height everywhere.
    const double tenth = active[1].second - active[2].second;
    EXPECT_GT(tenth, 10.0);
    EXPECT_NEAR(random[0].second - random[2].second, 2.0 * tenth, 0.3);
}

TEST(SvgPlot, names_are_in_it_and_escaped) {
    const std::string svg = svg_text(sample());
    for (const char* text :
         {">two_stage<", ">random<", ">labels<", ">accuracy<", ">target<",
          "digits &lt;&amp; &quot;friends&quot;&gt;", "stroke-dasharray=\"7 4\""})
        EXPECT_THAT(svg, HasSubstr(text));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(SvgPlot, nothing_to_draw_is_still_a_picture) {
    EXPECT_THAT(svg_text({}), HasSubstr("</svg>"));
    Plot plot = sample();
    plot.series = {{"one", {5}, {std::nan("")}, {std::nan("")}, {std::nan("")}}};
    plot.levels.clear();
    EXPECT_THAT(svg_text(plot), Not(HasSubstr("nan")));
    plot.series = {{"flat", {5, 6}, {0.0, 0.0}, {}, {}}};
    EXPECT_THAT(svg_text(plot), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace sluice::study
