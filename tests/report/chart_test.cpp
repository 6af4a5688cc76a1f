#include "report/chart.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace sluice::report {
namespace {

using testing::HasSubstr;
using testing::Not;

Chart chart(const Axis& x, const Axis& y) {
    return Chart("of \"this\" & <that>", x, y, {244.0, 60.0, 0.0});
}

TEST(Chart, places_points_between_the_ends_of_its_axes) {
    const Chart linear = chart({"x", 0.0, 10.0}, {"y", -1.0, 1.0});
    EXPECT_DOUBLE_EQ(linear.at_x(0.0), 60.0);
    EXPECT_DOUBLE_EQ(linear.at_x(5.0), 260.0);
    EXPECT_DOUBLE_EQ(linear.at_y(-1.0), 200.0);
    EXPECT_DOUBLE_EQ(linear.at_y(1.0), 30.0);
    const Chart decades = chart({"x", 1.0, 100.0, Spacing::logarithmic}, {"y", 0.0, 1.0});
    EXPECT_DOUBLE_EQ(decades.at_x(10.0), 260.0);
}

TEST(Chart, leaves_out_what_is_not_finite) {
    Chart gap = chart({"x", 0.0, 4.0}, {"y", 0.0, 1.0});
    gap.line({{0.0, 0.0}, {1.0, std::nan("")}, {2.0, 1.0}, {4.0, 0.0}}, "line active");
    gap.dot({std::nan(""), 0.0}, 3.0, "fill active");
    EXPECT_THAT(gap.svg(), HasSubstr("d=\"M60.0 200.0M260.0 30.0L460.0 200.0\""));
    EXPECT_THAT(gap.svg(), Not(HasSubstr("circle")));
}

TEST(Chart, an_axis_of_one_value_has_room_around_it) {
    const Chart flat = chart({"x", 2.0, 2.0}, {"y", 0.0, 0.0});
    EXPECT_DOUBLE_EQ(flat.at_x(2.0), 260.0);
    EXPECT_TRUE(std::isfinite(flat.at_y(0.0)));
}

TEST(Chart, text_is_escaped) {
    EXPECT_THAT(chart({"x"}, {"y"}).svg(),
                HasSubstr("aria-label=\"of &quot;this&quot; &amp; &lt;that&gt;\""));
    EXPECT_EQ(escaped("a\x01<"), "a\\x01&lt;");
}

TEST(Chart, numbers_are_short) {
    EXPECT_EQ(short_number(0.05), "0.05");
    EXPECT_EQ(short_number(1500.0), "1500");
    EXPECT_EQ(short_number(12000.0), "12k");
    EXPECT_EQ(short_number(-3e6), "-3M");
}

}  // namespace
}  // namespace sluice::report
