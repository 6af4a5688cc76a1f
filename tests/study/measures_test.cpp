#include "study/measures.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

namespace sluice::study {
namespace {

constexpr std::int64_t outputs = 3;

// Members that multiply each feature by their own factor: what they say is known in advance.
class Scalers {
  public:
    explicit Scalers(const std::vector<float>& factors, kernels::ScoreInput output) {
        for (const float factor : factors) {
            auto& weight = weights_.emplace_back(outputs * outputs, 0.0F);
            for (std::size_t i = 0; i < outputs; ++i)
                weight[i * (outputs + 1)] = factor;
        }
        kernels::NetworkDefinition definition;
        definition.dim = outputs;
        definition.outputs = outputs;
        definition.first_variance = outputs;
        definition.output = output;
        for (const auto& weight : weights_)
            definition.members.push_back(
                {{outputs, outputs, weight.data(), zeros_.data(), kernels::Activation::identity}});
        network_ = kernels::make_committee_network(kernels::Backend::cpu, definition);
    }
    const kernels::CommitteeNetwork& network() const { return *network_; }

  private:
    std::vector<std::vector<float>> weights_;
    std::vector<float> zeros_ = std::vector<float>(outputs, 0.0F);
    std::shared_ptr<const kernels::CommitteeNetwork> network_;
};

TestPart random_part(std::int64_t rows) {
    std::mt19937 random(4);
    std::normal_distribution<float> normal;
    TestPart part;
    part.rows = rows;
    for (std::int64_t i = 0; i < rows * outputs; ++i) {
        part.features.push_back(normal(random));
        part.labels.targets.push_back(normal(random));
    }
    for (std::int64_t i = 0; i < rows; ++i)
        part.labels.classes.push_back(static_cast<std::int32_t>(random() % outputs));
    return part;
}

// In float64, straight from the definitions.
std::vector<double> classification_by_definition(const TestPart& part,
                                                 const std::vector<float>& factors) {
    double right = 0.0;
    double loss = 0.0;
    double hits[outputs] = {};
    double counts[outputs] = {};
    for (std::int64_t i = 0; i < part.rows; ++i) {
        double mean[outputs] = {};
        for (const float factor : factors) {
            double total = 0.0;
            double terms[outputs];
            for (int c = 0; c < outputs; ++c)
                total += terms[c] =
                    std::exp(static_cast<double>(factor) *
                             part.features[static_cast<std::size_t>(i * outputs + c)]);
            for (int c = 0; c < outputs; ++c)
                mean[c] += terms[c] / total / static_cast<double>(factors.size());
        }
        const std::int32_t truth = part.labels.classes[static_cast<std::size_t>(i)];
        const bool hit = std::max_element(mean, mean + outputs) - mean == truth;
        right += hit ? 1.0 : 0.0;
        hits[truth] += hit ? 1.0 : 0.0;
        counts[truth] += 1.0;
        loss -= std::log(mean[truth]);
    }
    const auto rows = static_cast<double>(part.rows);
    const double balanced =
        (hits[0] / counts[0] + hits[1] / counts[1] + hits[2] / counts[2]) / outputs;
    return {right / rows, balanced, loss / rows};
}

TEST(Measures, classification_agrees_with_float64) {
    const TestPart part = random_part(3000);  // more than a block
    const std::vector<float> factors = {0.5F, 3.0F, -0.2F};
    const Scalers committee(factors, kernels::ScoreInput::committee_logits);
    const std::vector<double> found =
        measure(committee.network(), model::Task::classification, outputs, part);
    const std::vector<double> expected = classification_by_definition(part, factors);
    EXPECT_DOUBLE_EQ(found[0], expected[0]);
    EXPECT_DOUBLE_EQ(found[1], expected[1]);
    EXPECT_NEAR(found[2], expected[2], 1e-6);
    EXPECT_GT(std::abs(found[0] - found[1]), 1e-5);  // they are two things
}

TEST(Measures, ties_go_to_the_lower_class_and_absent_classes_do_not_count) {
    const Scalers committee({1.0F}, kernels::ScoreInput::committee_logits);
    TestPart part;
    part.rows = 4;
    part.features = {1, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 1};
    part.labels.classes = {0, 0, 1, 1};
    const auto found = measure(committee.network(), model::Task::classification, outputs, part);
    EXPECT_DOUBLE_EQ(found[0], 0.75);
    EXPECT_DOUBLE_EQ(found[1], 0.75);
}

TEST(Measures, regression_agrees_with_float64) {
    const TestPart part = random_part(2000);
    const Scalers committee({0.5F, 1.0F}, kernels::ScoreInput::predictions);
    const auto found = measure(committee.network(), model::Task::regression, outputs, part);
    double squares[outputs] = {};  // the measure is the mean of the targets'
    double sizes = 0.0;
    double largest = 0.0;
    for (std::size_t i = 0; i < part.features.size(); ++i) {
        const double error = 0.75 * part.features[i] - part.labels.targets[i];
        squares[i % outputs] += error * error;
        sizes += std::abs(error);
        largest = std::max(largest, std::abs(error));
    }
    const auto count = static_cast<double>(part.features.size());
    double rmse = 0.0;
    for (const double sum : squares)
        rmse += std::sqrt(sum / static_cast<double>(part.rows)) / outputs;
    EXPECT_NEAR(found[0], rmse, 1e-6);
    EXPECT_NEAR(found[1], sizes / count, 1e-6);
    EXPECT_NEAR(found[2], largest, 1e-6);
}

TEST(Measures, no_task_has_more_than_there_is_room_for_and_names_differ) {
    std::set<std::string> names;
    for (const MeasureDefinition& definition : measure_definitions())
        EXPECT_TRUE(names.insert(definition.name).second);
    for (const auto task : {model::Task::classification, model::Task::regression})
        EXPECT_LE(measures_of(task).size(), max_measures);
}

}  // namespace
}  // namespace sluice::study
