#include "model/model_outputs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace sluice::model {
namespace {

using kernels::ScoreInput;

// Two rows of three members and two classes.
const std::vector<float> logits = {0.5F, -1.0F, 2.0F, 2.5F,  -3.0F, 0.0F,
                                   4.0F, 1.0F,  0.0F, -0.5F, 1.5F,  1.0F};

std::vector<float> probabilities() {
    std::vector<float> values;
    for (std::size_t i = 0; i < logits.size(); i += 2) {
        const double first = 1.0 / (1.0 + std::exp(double{logits[i + 1]} - double{logits[i]}));
        values.push_back(static_cast<float>(first));
        values.push_back(static_cast<float>(1.0 - first));
    }
    return values;
}

void expect_classes(ScoreInput input, const std::vector<float>& values) {
    const ModelOutputs outputs = outputs_of(MemberOutputs{input, 3, 2, values});
    ASSERT_EQ(outputs.task, Task::classification);
    ASSERT_EQ(outputs.rows(), 2);
    const std::vector<float> shares = probabilities();
    for (std::size_t row = 0; row < 2; ++row) {
        double first = 0.0;
        for (std::size_t m = 0; m < 3; ++m)
            first += double{shares[(row * 3 + m) * 2]} / 3.0;
        EXPECT_NEAR(outputs.mean[row * 2], first, 1e-6);
        EXPECT_NEAR(outputs.mean[row * 2 + 1], 1.0 - first, 1e-6);
        const double entropy = -first * std::log(first) - (1.0 - first) * std::log(1.0 - first);
        EXPECT_NEAR(outputs.uncertainty[row], entropy / std::log(2.0), 1e-6);
    }
}

TEST(ModelOutputs, average_logits_as_probabilities) {
    expect_classes(ScoreInput::committee_logits, logits);
}

TEST(ModelOutputs, average_probabilities_as_they_are) {
    expect_classes(ScoreInput::committee_probabilities, probabilities());
}

TEST(ModelOutputs, average_predictions_and_measure_their_spread) {
    const std::vector<float> said = {1.0F, 10.0F, 2.0F, 10.5F, 6.0F, 11.0F};
    const ModelOutputs outputs = outputs_of(MemberOutputs{ScoreInput::predictions, 3, 2, said});
    EXPECT_EQ(outputs.task, Task::regression);
    ASSERT_EQ(outputs.rows(), 1);
    EXPECT_NEAR(outputs.mean[0], 3.0, 1e-6);
    EXPECT_NEAR(outputs.mean[1], 10.5, 1e-6);
    EXPECT_NEAR(outputs.uncertainty[0], std::sqrt((4.0 + 1.0 + 9.0) / 3.0), 1e-6);
    const ModelOutputs alone = outputs_of(MemberOutputs{ScoreInput::predictions, 1, 2, said});
    EXPECT_EQ(alone.mean, said);
    EXPECT_TRUE(alone.uncertainty.empty());
}

TEST(ModelOutputs, of_no_rows) {
    EXPECT_EQ(outputs_of(MemberOutputs{ScoreInput::logits, 1, 2, {}}).rows(), 0);
}

}  // namespace
}  // namespace sluice::model
