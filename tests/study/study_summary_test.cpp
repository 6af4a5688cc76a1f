#include "study/study_summary.hpp"

#include "study/study_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::study {
namespace {

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

std::vector<RunPoint> run_of(const std::vector<double>& accuracies) {
    std::vector<RunPoint> run;
    for (std::size_t i = 0; i < accuracies.size(); ++i) {
        const auto round = static_cast<std::int64_t>(i);
        run.push_back({round,
                       10 * (round + 1),
                       10 * (round + 1),
                       5.0 * static_cast<double>(i + 1),
                       {accuracies[i], accuracies[i], not_a_number}});
    }
    return run;
}

// Three seeds: `good` is always ahead of chance, `bad` behind, `same` neither.
DataResult sample() {
    DataResult result;
    result.name = "made";
    result.task = model::Task::classification;
    result.outputs = 2;
    result.arms = {
        {"random", {run_of({0.5, 0.6, 0.70}), run_of({0.4, 0.6, 0.72}), run_of({0.6, 0.7, 0.74})}},
        {"good", {run_of({0.5, 0.8, 0.90}), run_of({0.4, 0.8, 0.91}), run_of({0.6, 0.88, 0.95})}},
        {"bad", {run_of({0.5, 0.4, 0.50}), run_of({0.4, 0.4, 0.53}), run_of({0.6, 0.51, 0.55})}},
        {"same", {run_of({0.5, 0.6, 0.75}), run_of({0.4, 0.65, 0.6}), run_of({0.6, 0.68, 0.75})}}};
    return result;
}

StudyRequest request() {
    StudyRequest request;
    request.num_seeds = 3;
    return request;
}

TEST(StudySummary, means_areas_and_labels_to_what_chance_ends_with) {
    const StudySummary summary = summarize(sample(), 0, request());
    EXPECT_EQ(summary.measure.name, "accuracy");
    EXPECT_NEAR(summary.target, 0.72, 1e-12);
    const ArmSummary& random = summary.arms[0];
    ASSERT_EQ(random.curve.size(), 3U);
    EXPECT_NEAR(random.curve[1].value.mean, 1.9 / 3.0, 1e-12);
    EXPECT_EQ(random.curve[1].labels, 20.0);
    EXPECT_EQ(random.curve[1].cost, 10.0);
    // Areas 0.6, 0.58, 0.685 by trapezoids over 20 labels.
    EXPECT_NEAR(random.area.mean, (0.6 + 0.58 + 0.685) / 3.0, 1e-12);
    EXPECT_EQ(random.labels_to_target, 30.0);
    EXPECT_EQ(summary.arms[1].labels_to_target, 20.0);
    EXPECT_EQ(summary.arms[1].cost_to_target, 10.0);
    EXPECT_EQ(summary.arms[2].labels_to_target, std::nullopt);
}

TEST(StudySummary, words_come_from_the_paired_test_alone) {
    const StudySummary summary = summarize(sample(), 0, request());
    EXPECT_FALSE(summary.arms[0].against_random.has_value());
    EXPECT_EQ(summary.arms[1].verdict, Verdict::better);
    EXPECT_EQ(summary.arms[2].verdict, Verdict::worse);
    EXPECT_EQ(summary.arms[3].verdict, Verdict::no_difference_seen);
    EXPECT_GE(summary.arms[1].adjusted_p, summary.arms[1].against_random->p);
    EXPECT_EQ(summary.arms[1].against_random->wins, 1.0);
}

TEST(StudySummary, for_errors_lower_is_better) {
    DataResult result = sample();
    result.task = model::Task::regression;
    const StudySummary summary = summarize(result, 0, request());
    EXPECT_EQ(summary.measure.name, "rmse");
    EXPECT_EQ(summary.arms[1].verdict, Verdict::worse);
    EXPECT_EQ(summary.arms[2].verdict, Verdict::better);
    EXPECT_EQ(summary.arms[2].labels_to_target, 10.0);
}

TEST(StudySummary, targets_that_were_asked_for) {
    StudyRequest asked = request();
    asked.target = 0.85;
    EXPECT_EQ(summarize(sample(), 0, asked).arms[1].labels_to_target, 30.0);
    EXPECT_NEAR(summarize(sample(), 1, asked).target, 0.72, 1e-12);  // another measure
    asked = request();
    asked.within = 0.05;
    DataResult result = sample();
    result.all_labels = {{0, 99, 99, 0.0, {0.85, 0, 0}},
                         {0, 99, 99, 0.0, {0.89, 0, 0}},
                         {0, 99, 99, 0.0, {0.87, 0, 0}}};
    const StudySummary summary = summarize(result, 0, asked);
    EXPECT_NEAR(summary.target, 0.82, 1e-12);
    EXPECT_EQ(summary.arms[1].labels_to_target, 20.0);
}

TEST(StudySummary, a_measure_without_values_says_nothing) {
    const StudySummary summary = summarize(sample(), 2, request());
    for (const ArmSummary& arm : summary.arms) {
        EXPECT_EQ(arm.verdict, Verdict::no_difference_seen);
        EXPECT_EQ(arm.labels_to_target, std::nullopt);
    }
    const std::vector<DataResult> results = {sample()};
    const StudySummary all[] = {summarize(sample(), 0, request()),
                                summarize(sample(), 1, request()), summary};
    for (const std::string& text : {summary_csv(results, all), curves_csv(request(), results)})
        EXPECT_THAT(text, ::testing::Not(::testing::HasSubstr("nan")));
    EXPECT_THAT(summary_json(request(), results, all), ::testing::HasSubstr("\"p\": null"));
}

TEST(StudySummary, areas_go_as_far_as_all_arms_of_a_seed_have_come) {
    DataResult result = sample();
    result.arms[1].runs[2].pop_back();
    const StudySummary summary = summarize(result, 0, request());
    // Of the third seed two points are left: random's area is (0.6 + 0.7) / 2.
    EXPECT_NEAR(summary.arms[0].area.mean, (0.6 + 0.58 + 0.65) / 3.0, 1e-12);
}

TEST(StudySummary, where_costs_differ_areas_are_over_cost) {
    DataResult result = sample();
    for (RunPoint& point : result.arms[1].runs[0])
        point.cost *= 1.5;  // 7.5, 15, 22.5; the others 5, 10, 15
    StudyRequest asked = request();
    asked.reading.costs = StudyReading::Costs::from_pool;
    const StudySummary summary = summarize(result, 0, asked);
    const double first = (0.5 + 0.8) / 2.0;  // cut at 15
    const double second = (0.6 * 20 + 0.855 * 20) / 40;
    const double third = (0.74 * 20 + 0.915 * 20) / 40;
    EXPECT_NEAR(summary.arms[1].area.mean, (first + second + third) / 3.0, 1e-12);
}

TEST(StudySummary, seeds_that_end_early_shorten_the_mean_curve) {
    DataResult result = sample();
    result.arms[1].runs[2].pop_back();
    const StudySummary summary = summarize(result, 0, request());
    EXPECT_EQ(summary.arms[1].curve.size(), 2U);
    EXPECT_NEAR(summary.arms[1].final_value.mean, (0.90 + 0.91 + 0.88) / 3.0, 1e-12);
}

}  // namespace
}  // namespace sluice::study
