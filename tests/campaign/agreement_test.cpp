#include "campaign/agreement.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::campaign {
namespace {

using Classes = std::vector<std::int32_t>;

// small-text, tests/unit/small_text/stopping_criteria/test_base.py, and by hand.
TEST(DeltaF, gives_the_published_values) {
    const Classes first = {0, 1, 1, 0, 1, 1, 0};
    const Classes second = {0, 1, 1, 1, 1, 1, 0};
    const Classes third = {1, 1, 1, 1, 1, 1, 0};
    const Classes fourth = {1, 1, 1, 0, 1, 1, 0};

    EXPECT_NEAR(delta_f(first, second, 2), 1.0 / 9.0, 1e-15);
    EXPECT_NEAR(delta_f(second, third, 2), 1.0 / 11.0, 1e-15);
    EXPECT_NEAR(delta_f(third, fourth, 2), 1.0 / 11.0, 1e-15);
    EXPECT_NEAR(delta_f(Classes{0, 1, 1, 0}, Classes{0, 1, 1, 1}, 2), 0.2, 1e-15);
}

TEST(DeltaF, is_0_without_a_change_and_1_without_a_common_positive) {
    EXPECT_EQ(delta_f(Classes{0, 1}, Classes{0, 1}, 2), 0.0);
    EXPECT_EQ(delta_f(Classes{0, 0}, Classes{0, 0}, 2), 0.0);
    EXPECT_EQ(delta_f(Classes{0, 1}, Classes{1, 0}, 2), 1.0);
}

// Class 0 stays, of 1 and 2 one row each changes sides: (0 + 1/5 + 1/3) / 3.
TEST(DeltaF, is_the_mean_over_classes_where_there_are_more_than_two) {
    const Classes before = {0, 0, 1, 1, 1, 2};
    const Classes after = {0, 0, 1, 1, 2, 2};

    EXPECT_NEAR(delta_f(before, after, 3), (0.0 + 0.2 + 1.0 / 3.0) / 3.0, 1e-15);
}

// small-text, test_change.py: 1 of 4.
TEST(ClassificationChange, is_the_share_of_changed_classes) {
    EXPECT_EQ(classification_change(Classes{0, 1, 1, 0}, Classes{0, 1, 1, 1}), 0.25);
    EXPECT_EQ(classification_change(Classes{0, 1}, Classes{0, 1}), 0.0);
}

// sklearn.metrics.cohen_kappa_score of these lists.
TEST(CohenKappa, agrees_with_scikit_learn) {
    const Classes before = {0, 1, 2, 2, 1, 0, 0, 1, 2, 1};
    const Classes after = {0, 1, 1, 2, 1, 0, 2, 1, 2, 0};

    EXPECT_NEAR(cohen_kappa(before, after), 0.5454545454545454, 1e-15);
    EXPECT_NEAR(cohen_kappa(after, before), 0.5454545454545454, 1e-15);
}

TEST(CohenKappa, is_1_for_equal_lists_and_0_for_agreement_by_chance) {
    EXPECT_EQ(cohen_kappa(Classes{1, 1, 1}, Classes{1, 1, 1}), 1.0);
    EXPECT_EQ(cohen_kappa(Classes{0, 1, 2}, Classes{0, 1, 2}), 1.0);
    EXPECT_NEAR(cohen_kappa(Classes{0, 0, 1, 1}, Classes{0, 1, 0, 1}), 0.0, 1e-15);
    EXPECT_NEAR(cohen_kappa(Classes{0, 0, 1, 1}, Classes{1, 1, 0, 0}), -1.0, 1e-15);
}

TEST(RegressionChange, is_relative_to_what_predictions_vary) {
    // Differences 1, 0, 1: 2; around the mean 2: 2.
    EXPECT_NEAR(regression_change(std::vector<float>{1, 2, 3}, std::vector<float>{2, 2, 2}, 1), 1.0,
                1e-15);
    EXPECT_EQ(regression_change(std::vector<float>{1, 2}, std::vector<float>{1, 2}, 1), 0.0);
    // Of two components one does not move.
    EXPECT_NEAR(
        regression_change(std::vector<float>{1, 0, 3, 8}, std::vector<float>{2, 0, 4, 8}, 2), 0.5,
        1e-15);
}

}  // namespace
}  // namespace sluice::campaign
