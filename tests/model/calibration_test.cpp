#include "model/calibration.hpp"

#include "tests/model/training_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::model {
namespace {

// Binary logits whose true probabilities are those of logits / 3: three times too sure.
HeldOutLogits too_sure(std::int64_t rows) {
    HeldOutLogits held_out;
    held_out.members = 1;
    held_out.classes = 2;
    for (std::int64_t i = 0; i < rows; ++i) {
        const float logit = 6.0F * test::made_number(i, 0);
        const float probability = 1.0F / (1.0F + std::exp(-logit / 3.0F));
        held_out.logits.insert(held_out.logits.end(), {0.0F, logit});
        held_out.truth.push_back(0.5F * (test::made_number(i, 1) + 1.0F) < probability ? 1 : 0);
        held_out.counted.push_back(1);
    }
    return held_out;
}

double error_at(const HeldOutLogits& held_out, float temperature) {
    return expected_calibration_error(mean_probabilities(held_out, temperature), held_out.truth,
                                      held_out.classes);
}

// Rows in the order of their least confidence.
std::vector<std::size_t> ranking(const HeldOutLogits& held_out, float temperature) {
    const std::vector<float> probabilities = mean_probabilities(held_out, temperature);
    std::vector<std::size_t> order(static_cast<std::size_t>(held_out.rows()));
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, [&](std::size_t i) {
        return std::max(probabilities[2 * i], probabilities[2 * i + 1]);
    });
    return order;
}

TEST(Calibration, finds_the_temperature_and_lowers_the_error) {
    const HeldOutLogits held_out = too_sure(4000);
    const float temperature = fit_temperature(held_out);
    EXPECT_NEAR(temperature, 3.0F, 0.4F);
    EXPECT_GT(error_at(held_out, 1.0F), 0.1);
    EXPECT_LT(error_at(held_out, temperature), 0.04);
}

TEST(Calibration, temperature_is_the_most_likely_one) {
    const HeldOutLogits held_out = too_sure(500);
    const float temperature = fit_temperature(held_out);
    const auto loss_at = [&](float t) {
        const double off = std::log(static_cast<double>(t)) / std::log(2.0);
        return negative_log_likelihood(held_out, t) + off * off / 2.0 / 500.0;
    };
    for (const float factor : {0.5F, 0.9F, 0.97F, 1.03F, 1.1F, 2.0F})
        EXPECT_GT(loss_at(factor * temperature), loss_at(temperature)) << factor;
}

TEST(Calibration, few_labels_do_not_make_a_committee_certain) {
    HeldOutLogits held_out;  // all right: the likelihood alone would go to the lowest temperature
    held_out.members = 1;
    held_out.classes = 2;
    for (int i = 0; i < 20; ++i) {
        held_out.logits.insert(held_out.logits.end(), {2.0F, 0.0F});
        held_out.truth.push_back(0);
        held_out.counted.push_back(1);
    }
    EXPECT_GT(fit_temperature(held_out), 0.3F);
    EXPECT_LT(fit_temperature(held_out), 1.0F);
}

TEST(Calibration, ranking_of_least_confidence_stays_in_binary) {
    const HeldOutLogits held_out = too_sure(200);
    EXPECT_EQ(ranking(held_out, fit_temperature(held_out)), ranking(held_out, 1.0F));
}

TEST(Calibration, error_of_bins_by_hand) {
    // Confidences 0.9 (right), 0.9 (wrong), 0.6 (right): bins 13, 13 and 8.
    const std::vector<float> probabilities = {0.9F, 0.1F, 0.9F, 0.1F, 0.4F, 0.6F};
    const std::vector<std::int32_t> truth = {0, 1, 1};
    EXPECT_NEAR(expected_calibration_error(probabilities, truth, 2),
                (std::fabs(1.0 - 1.8) + std::fabs(1.0 - 0.6)) / 3.0, 1e-6);
}

TEST(Calibration, only_members_that_have_not_seen_a_label_speak) {
    HeldOutLogits held_out;
    held_out.members = 2;
    held_out.classes = 2;
    held_out.logits = {0.0F, 0.0F, 9.0F, 0.0F, 0.0F, 0.0F, 9.0F, 0.0F};
    held_out.truth = {0, 0};
    held_out.counted = {1, 0, 1, 1};
    const std::vector<float> probabilities = mean_probabilities(held_out, 1.0F);
    EXPECT_FLOAT_EQ(probabilities[0], 0.5F);
    EXPECT_NEAR(probabilities[2], 0.5 * (0.5 + 1.0 / (1.0 + std::exp(-9.0))), 1e-6);
}

TEST(Calibration, certain_and_right_stays_finite) {
    HeldOutLogits held_out;
    held_out.members = 1;
    held_out.classes = 2;
    held_out.logits = {100.0F, 0.0F, 0.0F, 500.0F};
    held_out.truth = {0, 0};
    held_out.counted = {1, 1};
    const float temperature = fit_temperature(held_out);
    EXPECT_GT(temperature, 4.0F);
    EXPECT_TRUE(std::isfinite(negative_log_likelihood(held_out, temperature)));
}

}  // namespace
}  // namespace sluice::model
