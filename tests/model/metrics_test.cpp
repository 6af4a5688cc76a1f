#include "model/metrics.hpp"

#include <gtest/gtest.h>

#include <vector>

// The numbers are scikit-learn 1.2's: accuracy_score, f1_score(average="macro"), log_loss,
// mean_absolute_error, r2_score, mean_squared_error; ece by its definition in NumPy float64.

namespace sluice::model {
namespace {

TEST(ClassificationMetrics, agree_with_scikit_learn) {
    const std::vector<float> probabilities = {0.7F,  0.2F, 0.1F,  0.1F, 0.6F,  0.3F,
                                              0.3F,  0.3F, 0.4F,  0.5F, 0.25F, 0.25F,
                                              0.05F, 0.9F, 0.05F, 0.2F, 0.2F,  0.6F};
    const std::vector<std::int32_t> classes = {0, 1, 1, 2, 1, 2};

    Metrics metrics = classification_metrics(probabilities, classes, 3);

    EXPECT_NEAR(metrics["accuracy"], 0.6666666666666666, 1e-12);
    EXPECT_NEAR(metrics["macro_f1"], 0.6555555555555556, 1e-12);
    EXPECT_NEAR(metrics["balanced_accuracy"], 0.7222222222222222, 1e-12);
    EXPECT_NEAR(metrics["log_loss"], 0.6789922994809886, 1e-6);
    EXPECT_NEAR(metrics["ece"], 0.3499999990065892, 1e-7);
}

TEST(ClassificationMetrics, count_a_class_the_model_does_not_know_as_wrong) {
    const std::vector<float> probabilities = {1.0F, 0.0F, 0.0F, 1.0F};

    Metrics metrics = classification_metrics(probabilities, std::vector<std::int32_t>{0, 2}, 2);

    EXPECT_EQ(metrics["accuracy"], 0.5);
    // Classes 0 (right), 1 (predicted, never so) and 2 (never predicted).
    EXPECT_NEAR(metrics["macro_f1"], 1.0 / 3.0, 1e-12);
    EXPECT_NEAR(metrics["log_loss"], 23.0 * 0.6931471805599453 / 2.0, 1e-5);
    EXPECT_EQ(metrics["ece"], 0.5);
}

TEST(RegressionMetrics, agree_with_scikit_learn) {
    const std::vector<float> targets = {1, 10, 2, 20, 3, 25, 4, 50};
    const std::vector<float> predictions = {1.5F, 12, 1.5F, 18, 3, 30, 5, 45};

    Metrics metrics = regression_metrics(predictions, targets, {"energy", "force"});

    EXPECT_NEAR(metrics["mae.energy"], 0.5, 1e-12);
    EXPECT_NEAR(metrics["mae.force"], 3.5, 1e-12);
    EXPECT_NEAR(metrics["mae"], 2.0, 1e-12);
    EXPECT_NEAR(metrics["r2.energy"], 0.7, 1e-12);
    EXPECT_NEAR(metrics["r2"], 0.8166187050359712, 1e-12);
    EXPECT_NEAR(metrics["rmse.force"], 3.8078865529319543, 1e-12);
    EXPECT_NEAR(metrics["rmse"], 2.2101294943138745, 1e-12);
    EXPECT_EQ(metrics["max_error"], 5.0);
    EXPECT_EQ(metrics["max_error.energy"], 1.0);
}

TEST(RegressionMetrics, of_one_target_have_plain_names_only) {
    Metrics metrics =
        regression_metrics(std::vector<float>{1, 1}, std::vector<float>{1, 1}, {"energy"});

    EXPECT_EQ(metrics.size(), 4U);
    EXPECT_EQ(metrics["r2"], 1.0);
    EXPECT_EQ(metrics["rmse"], 0.0);
}

TEST(MetricDefinitions, are_found_by_name_and_for_each_target) {
    for (const MetricDefinition& definition : metric_definitions())
        EXPECT_EQ(find_metric(definition.name), &definition);
    EXPECT_EQ(find_metric("rmse.energy"), find_metric("rmse"));
    EXPECT_EQ(find_metric("rmse")->better, Better::lower);
    EXPECT_EQ(find_metric("r2")->better, Better::higher);
    EXPECT_EQ(find_metric("acuracy"), nullptr);
}

}  // namespace
}  // namespace sluice::model
