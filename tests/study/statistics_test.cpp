#include "study/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::study {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Statistics, area_is_the_mean_height_by_trapezoids) {
    // (0.5 + 0.7) / 2 * 10 + (0.7 + 0.8) / 2 * 30 = 28.5 over 40 labels.
    EXPECT_DOUBLE_EQ(area_under_curve({{20, 30, 60}, {0.5, 0.7, 0.8}}), 28.5 / 40.0);
    EXPECT_DOUBLE_EQ(area_under_curve({{20}, {0.5}}), 0.5);
    EXPECT_TRUE(std::isnan(area_under_curve({})));
}

TEST(Statistics, a_curve_is_cut_on_the_line_between_its_points) {
    const LearningCurve curve{{20, 30, 60}, {0.5, 0.7, 0.8}};
    const LearningCurve cut = curve_until(curve, 45);
    EXPECT_EQ(cut.labels, (std::vector<double>{20, 30, 45}));
    EXPECT_DOUBLE_EQ(cut.values[2], 0.75);
    EXPECT_EQ(curve_until(curve, 30).values, (std::vector<double>{0.5, 0.7}));
    EXPECT_EQ(curve_until(curve, 60).labels, curve.labels);
    EXPECT_EQ(curve_until(curve, 99).labels, curve.labels);
    EXPECT_EQ(curve_until(curve, 20).labels, (std::vector<double>{20}));
}

TEST(Statistics, labels_to_reach_is_the_first_point_as_good) {
    const LearningCurve curve{{10, 20, 30, 40}, {0.5, 0.8, 0.7, 0.9}};
    EXPECT_EQ(labels_to_reach(curve, 0.7, Better::higher), 20);
    EXPECT_EQ(labels_to_reach(curve, 0.8, Better::higher), 20);
    EXPECT_EQ(labels_to_reach(curve, 0.81, Better::higher), 40);
    EXPECT_EQ(labels_to_reach(curve, 0.91, Better::higher), std::nullopt);
    EXPECT_EQ(labels_to_reach(curve, 0.5, Better::lower), 10);
    EXPECT_EQ(labels_to_reach(curve, 0.4, Better::lower), std::nullopt);
}

// Gosset's own table: hours of sleep gained by ten patients with two soporifics, 1908; in his
// notation z = 1.58 / 1.17 = 1.35 and odds of 666 to 1; as a t-test t = 4.0621, p = 0.002833.
TEST(Statistics, students_sleep_data) {
    const double dextro[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    const double laevo[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};
    const PairedTest test = paired_test(dextro, laevo, Better::higher);
    EXPECT_EQ(test.difference.count, 10);
    EXPECT_NEAR(test.difference.mean, 1.58, 1e-12);
    EXPECT_NEAR(test.difference.deviation, 1.229995, 1e-6);
    EXPECT_NEAR(test.difference.half_width, 0.8798858, 1e-7);  // interval 0.7001142 to 2.4598858
    EXPECT_NEAR(test.t, 4.062127683382, 1e-11);
    EXPECT_NEAR(test.p, 0.002832890197384, 1e-14);
    EXPECT_DOUBLE_EQ(test.wins, 0.95);  // one tie
    EXPECT_DOUBLE_EQ(paired_test(dextro, laevo, Better::lower).wins, 0.05);
    EXPECT_DOUBLE_EQ(paired_test(laevo, dextro, Better::higher).t, -test.t);
}

// With one degree of freedom t is Cauchy's distribution, with two P(T > t) has a closed form.
TEST(Statistics, two_sided_p_where_it_has_a_closed_form) {
    for (const double t : {0.0, 0.1, 1.0, 3.5, 60.0}) {
        EXPECT_NEAR(two_sided_p(t, 1), 1.0 - 2.0 * std::atan(t) / M_PI, 1e-14);
        EXPECT_NEAR(two_sided_p(-t, 2), 1.0 - t / std::sqrt(2.0 + t * t), 1e-14);
    }
    EXPECT_EQ(two_sided_p(infinity, 5), 0.0);
}

TEST(Statistics, few_or_equal_numbers) {
    const double one[] = {0.3};
    const double other[] = {0.4};
    EXPECT_TRUE(std::isnan(paired_test(one, other, Better::higher).p));
    EXPECT_TRUE(std::isnan(estimate(one).half_width));
    const double same[] = {0.5, 0.75};
    EXPECT_EQ(paired_test(same, same, Better::higher).p, 1.0);
    EXPECT_EQ(paired_test(same, same, Better::higher).wins, 0.5);
    const double none[] = {0.5, std::nan("")};
    EXPECT_TRUE(std::isnan(paired_test(same, none, Better::higher).p));
    const double shifted[] = {1.5, 1.75};
    EXPECT_EQ(paired_test(same, shifted, Better::higher).p, 0.0);
}

TEST(Statistics, holm_by_hand) {
    // Sorted 0.005 0.01 0.03 0.04, times 4 3 2 1: 0.02 0.03 0.06 0.04 -> 0.06 by the running max.
    const double p[] = {0.01, 0.04, std::nan(""), 0.03, 0.005};
    const std::vector<double> adjusted = holm_adjusted(p);
    EXPECT_DOUBLE_EQ(adjusted[0], 0.03);
    EXPECT_DOUBLE_EQ(adjusted[1], 0.06);
    EXPECT_TRUE(std::isnan(adjusted[2]));
    EXPECT_DOUBLE_EQ(adjusted[3], 0.06);
    EXPECT_DOUBLE_EQ(adjusted[4], 0.02);
    const double large[] = {0.6, 0.9};
    EXPECT_DOUBLE_EQ(holm_adjusted(large)[0], 1.0);
}

}  // namespace
}  // namespace sluice::study
