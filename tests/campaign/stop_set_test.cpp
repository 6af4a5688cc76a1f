#include "campaign/stop_set.hpp"

#include "model/model_outputs.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace sluice::campaign {
namespace {

// One linear layer a member.
model::Committee committee_of(model::Task task, const std::vector<std::vector<float>>& weights,
                              std::int64_t outputs) {
    model::Committee committee;
    committee.task = task;
    committee.dim = std::ssize(weights.front()) / outputs;
    committee.outputs = outputs;
    for (const std::vector<float>& weight : weights) {
        model::Layer layer;
        layer.inputs = committee.dim;
        layer.outputs = outputs;
        layer.weight = weight;
        layer.bias.assign(static_cast<std::size_t>(outputs), 0.0F);
        committee.networks.push_back({{layer}});
    }
    return committee;
}

TEST(DrawRows, gives_distinct_rows_of_the_seed) {
    const std::vector<RowId> rows = draw_rows(7, 50, 1000);

    EXPECT_EQ(rows.size(), 50U);
    EXPECT_TRUE(std::ranges::is_sorted(rows));
    EXPECT_EQ(std::set<RowId>(rows.begin(), rows.end()).size(), 50U);
    EXPECT_GE(rows.front(), 0);
    EXPECT_LT(rows.back(), 1000);
    EXPECT_EQ(draw_rows(7, 50, 1000), rows);
    EXPECT_NE(draw_rows(8, 50, 1000), rows);
    EXPECT_EQ(draw_rows(7, 5, 3), (std::vector<RowId>{0, 1, 2}));
}

// 2,000 draws of 5 of 20 rows: 500 each, standard deviation below 20.
TEST(DrawRows, is_fair) {
    std::vector<int> counts(20, 0);
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        for (const RowId row : draw_rows(seed, 5, 20))
            ++counts[static_cast<std::size_t>(row)];
    }

    for (const int count : counts)
        EXPECT_NEAR(count, 500, 90);
}

// The formulas in float64.
TEST(RunModel, gives_mean_probabilities_and_their_entropy) {
    const std::vector<std::vector<float>> weights = {{1, 0, 0, 1, -1, -1}, {2, 1, 0, 0, 1, 0}};
    const model::Committee committee = committee_of(model::Task::classification, weights, 3);
    const std::vector<float> features = {0.5F, -1.0F, 2.0F, 0.25F};

    const model::ModelOutputs outputs = model::run_model(committee, features, 2, "m.h5");

    ASSERT_EQ(outputs.rows(), 2);
    for (std::size_t row = 0; row < 2; ++row) {
        std::vector<double> mean(3, 0.0);
        for (const std::vector<float>& weight : weights) {
            std::vector<double> terms;
            for (std::size_t c = 0; c < 3; ++c) {
                terms.push_back(std::exp(double{weight[2 * c]} * features[2 * row] +
                                         double{weight[2 * c + 1]} * features[2 * row + 1]));
            }
            for (std::size_t c = 0; c < 3; ++c)
                mean[c] += terms[c] / (terms[0] + terms[1] + terms[2]) / 2.0;
        }
        double entropy = 0.0;
        for (std::size_t c = 0; c < 3; ++c) {
            EXPECT_NEAR(outputs.mean[3 * row + c], mean[c], 1e-6);
            entropy -= mean[c] * std::log(mean[c]);
        }
        EXPECT_NEAR(outputs.uncertainty[row], entropy / std::log(3.0), 1e-6);
        EXPECT_EQ(outputs.classes()[row], std::ranges::max_element(mean) - mean.begin());
    }
}

TEST(RunModel, gives_mean_predictions_and_their_spread) {
    const model::Committee committee = committee_of(model::Task::regression, {{1, 10}, {3, 10}}, 2);

    const model::ModelOutputs outputs =
        model::run_model(committee, std::vector<float>{1, 2}, 1, "m.h5");

    EXPECT_EQ(outputs.mean, (std::vector<float>{2, 10, 4, 20}));
    EXPECT_EQ(outputs.uncertainty, (std::vector<float>{1, 2}));
}

TEST(RunModel, refuses_rows_of_another_width) {
    const model::Committee committee = committee_of(model::Task::regression, {{1}, {3}}, 1);

    test::expect_error(ExitCode::bad_data, "m.h5: was made for 1 features, but rows have 2", [&] {
        model::run_model(committee, std::vector<float>{1, 2}, 2, "m.h5");
    });
}

TEST(StopSet, reads_back_what_was_published) {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("stop_set.h5");
    const model::Committee committee = committee_of(model::Task::regression, {{1, 10}, {3, 10}}, 2);
    const model::ModelOutputs outputs =
        model::run_model(committee, std::vector<float>{1, 2}, 1, "m.h5");

    publish_stop_set(path, {4, 9}, outputs);
    const auto found = read_stop_set(path, {4, 9}, model::Task::regression);

    ASSERT_TRUE(found);
    EXPECT_EQ(found->mean, outputs.mean);
    EXPECT_EQ(found->uncertainty, outputs.uncertainty);
    EXPECT_EQ(found->width, 2);
    EXPECT_FALSE(read_stop_set(directory.file("none.h5"), {4, 9}, model::Task::regression));
    test::expect_error(ExitCode::bad_data, "is about other rows", [&] {
        read_stop_set(path, {4, 8}, model::Task::regression);
    });
}

TEST(StopSet, describes_agreement_with_the_model_before) {
    const model::Committee before = committee_of(model::Task::classification, {{1, -1}}, 2);
    const model::Committee after = committee_of(model::Task::classification, {{-1, 1}}, 2);
    const std::vector<float> features = {1, -1, 2, -2};
    RoundRecord record;

    describe_stop_set(model::run_model(after, features, 1, "a"),
                      model::run_model(before, features, 1, "b"), record);

    EXPECT_EQ(*record.kappa, -1.0);
    EXPECT_EQ(*record.change, 1.0);
    EXPECT_EQ(*record.delta_f, 1.0);
    EXPECT_GT(*record.uncertainty, 0.0);
    EXPECT_LT(*record.uncertainty, 1.0);
}

}  // namespace
}  // namespace sluice::campaign
