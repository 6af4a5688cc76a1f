// Gini index, expected gradient length and mean deviation against the double precision oracle and
// their own properties.
#include "score_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sluice::kernels {
namespace {

void expect_close(float got, double expected, double absolute = 0.0) {
    EXPECT_TRUE(std::abs(static_cast<double>(got) - expected) <=
                1e-6 * std::abs(expected) + absolute)
        << got << " is not " << expected;
}

class ScoresOfMeans : public testing::TestWithParam<std::int64_t> {};

TEST_P(ScoresOfMeans, agree_with_the_oracle) {
    for (const std::int64_t members : {1, 4})
        for (const Rows& rows : {random_probabilities(300, members, GetParam(), 61),
                                 random_logits(300, members, GetParam(), 62)})
            for (const char* name : {"gini", "gradient_length"}) {
                SCOPED_TRACE(name);
                const auto scores = scores_of(name, rows);
                const bool is_logit =
                    rows.input == ScoreInput::logits || rows.input == ScoreInput::committee_logits;
                for (std::int64_t row = 0; row < rows.count(); ++row) {
                    std::vector<oracle::Row> said = rows.row_members(row);
                    if (is_logit)
                        for (oracle::Row& member : said)
                            member = oracle::softmax(member);
                    // 1e-15: what the oracle's own 1 - p leaves.
                    expect_close(scores[static_cast<std::size_t>(row)],
                                 oracle::score_of_distribution(name, oracle::mean_of_members(said)),
                                 1e-15);
                }
            }
}

INSTANTIATE_TEST_SUITE_P(Classes, ScoresOfMeans, testing::Values(2, 3, 10, 131),
                         testing::PrintToStringParamName());

TEST(Gini, by_hand) {
    const Rows rows{{.2F, .5F, .3F, 1, 0, 0, .25F, .25F, .5F}, 1, 3, ScoreInput::probabilities};
    const auto scores = scores_of("gini", rows);
    expect_close(scores[0], .62, 1e-7);
    EXPECT_EQ(scores[1], 0.0F);
    EXPECT_EQ(scores[2], .625F);
}

TEST(GradientLength, by_hand) {
    // Of two classes: p (1-p) sqrt 2, twice.
    const Rows rows{{.5F, .5F, .25F, .75F, 1, 0}, 1, 2, ScoreInput::probabilities};
    const auto scores = scores_of("gradient_length", rows);
    expect_close(scores[0], std::sqrt(.5));
    expect_close(scores[1], 2 * .25 * .75 * std::sqrt(2.0));
    EXPECT_EQ(scores[2], 0.0F);
}

TEST(GradientLength, reaches_its_bound_where_all_classes_tie) {
    Rows rows{std::vector<float>(64, 1.0F / 64), 1, 64, ScoreInput::probabilities};
    expect_close(scores_of("gradient_length", rows)[0], std::sqrt(1.0 - 1.0 / 64));
}

TEST(MeanDeviation, agrees_with_the_oracle) {
    for (const std::int64_t components : {1, 3, 32})
        for (const std::int64_t members : {2, 5}) {
            Rows rows = random_logits(200, members, components, 63);
            rows.input = ScoreInput::predictions;
            for (std::size_t i = 0; i < rows.values.size(); ++i)
                rows.values[i] += 1000.0F * static_cast<float>(i % 3);
            const auto scores = scores_of("mean_deviation", rows);
            for (std::int64_t row = 0; row < rows.count(); ++row)
                expect_close(scores[static_cast<std::size_t>(row)],
                             oracle::mean_deviation(rows.row_members(row)));
        }
}

TEST(MeanDeviation, of_predictions_with_variances_is_that_of_the_predictions) {
    const Rows rows = random_gaussians(200, 4, 3, 64);
    Rows means{{}, 4, 3, ScoreInput::predictions};
    for (std::size_t i = 0; i < rows.values.size(); ++i)
        if (i % 6 < 3) means.values.push_back(rows.values[i]);
    EXPECT_EQ(scores_of("mean_deviation", rows), scores_of("mean_deviation", means));
}

TEST(MeanDeviation, scales_with_the_predictions_and_is_zero_where_members_agree) {
    const Rows rows{{1, 2, 6, 10, 20, 60, 7, 7, 7}, 3, 1, ScoreInput::predictions};
    const auto scores = scores_of("mean_deviation", rows);
    expect_close(scores[0], 2.0);
    expect_close(scores[1], 20.0);
    EXPECT_EQ(scores[2], 0.0F);
}

TEST(MeanDeviation, ends_of_the_range) {
    const Rows rows{{3e38F, -3e38F, 1e-38F, 3e-38F}, 2, 1, ScoreInput::predictions};
    const auto scores = scores_of("mean_deviation", rows);
    expect_close(scores[0], 3e38, 1e32);
    expect_close(scores[1], 1e-38, 1e-44);
}

}  // namespace
}  // namespace sluice::kernels
