// Scores of votes, of decision values and of predictions with variances, against the double
// precision oracle, published values and their own properties.
#include "score_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace sluice::kernels {
namespace {

void expect_close(float got, double expected, double absolute = 0.0) {
    EXPECT_TRUE(std::abs(static_cast<double>(got) - expected) <=
                1e-6 * std::abs(expected) + absolute)
        << got << " is not " << expected;
}

/// Rows of logits whose members' largest are these classes.
Rows rows_of_votes(const std::vector<std::vector<int>>& votes, std::int64_t classes) {
    Rows rows{
        {}, static_cast<std::int64_t>(votes.front().size()), classes, ScoreInput::committee_logits};
    for (const std::vector<int>& row : votes)
        for (const int vote : row)
            for (int c = 0; c < classes; ++c)
                rows.values.push_back(c == vote ? 1.0F : -1.0F);
    return rows;
}

// scikit-activeml, skactiveml/pool/tests/test_query_by_committee.py.
TEST(PublishedScores, vote_entropy) {
    const auto scores =
        scores_of("vote_entropy", rows_of_votes({{0, 1, 2}, {0, 0, 1}, {2, 2, 2}}, 3));
    expect_close(scores[0], std::log(3.0));
    expect_close(scores[1], .636514168);
    EXPECT_EQ(scores[2], 0.0F);
}

// The same file.
TEST(PublishedScores, variation_ratios) {
    const auto scores = scores_of("variation_ratio",
                                  rows_of_votes({{0, 0, 2}, {1, 0, 2}, {2, 1, 2}, {0, 0, 0}}, 3));
    EXPECT_EQ(scores, (std::vector<float>{1.0F / 3, 2.0F / 3, 1.0F / 3, 0.0F}));
}

class Votes : public testing::TestWithParam<std::int64_t> {};

TEST_P(Votes, agree_with_the_oracle) {
    for (const std::int64_t members : {2, 3, 7, 49})
        for (const Rows& rows : {random_probabilities(200, members, GetParam(), 41),
                                 random_logits(200, members, GetParam(), 42)}) {
            const auto entropies = scores_of("vote_entropy", rows);
            const auto ratios = scores_of("variation_ratio", rows);
            for (std::int64_t row = 0; row < rows.count(); ++row) {
                const auto i = static_cast<std::size_t>(row);
                expect_close(entropies[i], oracle::vote_entropy(rows.row_members(row)), 1e-7);
                expect_close(ratios[i], oracle::variation_ratio(rows.row_members(row)), 1e-7);
            }
        }
}

INSTANTIATE_TEST_SUITE_P(Classes, Votes, testing::Values(2, 3, 10, 257),
                         testing::PrintToStringParamName());

TEST(Votes, ties_go_to_the_lower_class) {
    // Both members hold classes 0 and 1 alike; a third one of them decides.
    const Rows rows{{.4F, .4F, .2F, .4F, .4F, .2F, .5F, .4F, .1F,  //
                     .4F, .4F, .2F, .4F, .4F, .2F, .4F, .5F, .1F},
                    3,
                    3,
                    ScoreInput::committee_probabilities};
    EXPECT_EQ(scores_of("variation_ratio", rows), (std::vector<float>{0.0F, 1.0F / 3}));
    EXPECT_EQ(scores_of("vote_entropy", rows)[0], 0.0F);
}

TEST(Votes, unanimous_committees_of_any_size_score_nothing) {
    for (int members = 2; members < 120; ++members) {
        const Rows rows =
            rows_of_votes({std::vector<int>(static_cast<std::size_t>(members), 1)}, 3);
        EXPECT_EQ(scores_of("vote_entropy", rows)[0], 0.0F) << members;
        EXPECT_EQ(scores_of("variation_ratio", rows)[0], 0.0F) << members;
    }
}

TEST(Votes, of_logits_are_not_lost_in_softmax) {
    // Softmax rounded to float32 would make ties of both members.
    const Rows rows{{1.0F, std::nextafter(1.0F, 2.0F), 50.0F, std::nextafter(50.0F, 60.0F),  //
                     1e-30F, 0.0F, 0.0F, 1e-30F},
                    2,
                    2,
                    ScoreInput::committee_logits};
    EXPECT_EQ(scores_of("variation_ratio", rows), (std::vector<float>{0.0F, 0.5F}));
}

TEST(Boundary, of_a_binary_head_is_minus_the_size_of_f) {
    Rows rows{{}, 1, 2, ScoreInput::logits};
    const std::vector<float> decisions = {0.0F, 0.5F, -0.5F, 3.0F, -40.0F, 1e6F, -1e30F};
    for (const float f : decisions)
        rows.values.insert(rows.values.end(), {-f / 2, f / 2});
    const auto scores = scores_of("boundary", rows);
    for (std::size_t i = 0; i < scores.size(); ++i)
        EXPECT_EQ(scores[i], -std::abs(decisions[i]));
}

TEST(Boundary, agrees_with_the_oracle) {
    for (const std::int64_t members : {1, 2, 5})
        for (const std::int64_t classes : {2, 3, 10, 100}) {
            const Rows rows = random_logits(300, members, classes, 43);
            const auto scores = scores_of("boundary", rows);
            for (std::int64_t row = 0; row < rows.count(); ++row) {
                double size = 0.0;
                for (const double x : rows.row(row))
                    size = std::max(size, std::abs(x));
                EXPECT_NEAR(scores[static_cast<std::size_t>(row)],
                            oracle::boundary(rows.row_members(row)), 1e-6 * size);
            }
        }
}

TEST(Boundary, tells_apart_what_the_softmax_margin_cannot) {
    const Rows rows{{200.0F, 0.0F, 300.0F, 0.0F}, 1, 2, ScoreInput::logits};
    EXPECT_EQ(scores_of("margin", rows)[0], scores_of("margin", rows)[1]);
    EXPECT_GT(scores_of("boundary", rows)[0], scores_of("boundary", rows)[1]);
}

TEST(Boundary, is_finite_at_the_ends_of_the_range) {
    const float most = std::numeric_limits<float>::max();
    const Rows rows{{most, -most, most, most}, 1, 2, ScoreInput::logits};
    EXPECT_EQ(scores_of("boundary", rows), (std::vector<float>{-most, 0.0F}));
    const Rows committee{{most, -most, most, -most}, 2, 2, ScoreInput::committee_logits};
    EXPECT_EQ(scores_of("boundary", committee), (std::vector<float>{-most}));
}

TEST(TotalStd, agrees_with_the_oracle) {
    for (const std::int64_t members : {1, 2, 5})
        for (const std::int64_t components : {1, 3, 32}) {
            const Rows rows = random_gaussians(200, members, components, 44);
            const auto scores = scores_of("total_std", rows);
            for (std::int64_t row = 0; row < rows.count(); ++row)
                expect_close(scores[static_cast<std::size_t>(row)],
                             oracle::total_std(rows.row_members(row)));
        }
}

TEST(TotalStd, is_both_parts) {
    // Means 1 and 7 (deviation 3), variances 15 and 17 (mean 16): 9 + 16 = 25.
    const Rows rows{{1.0F, 15.0F, 7.0F, 17.0F}, 2, 1 + 1, ScoreInput::gaussian_predictions};
    EXPECT_EQ(scores_of("total_std", rows)[0], 5.0F);
    EXPECT_EQ(scores_of("committee_std", rows)[0], 3.0F);
}

TEST(TotalStd, ends_of_the_range) {
    const Rows rows{{3e38F, 1.0F, -3e38F, 1.0F, 0.0F, 3e38F, 0.0F, 3e38F,  //
                     0.0F, 0.0F, 0.0F, 0.0F, 5.0F, 1e-40F, 5.0F, 1e-40F},
                    2,
                    2,
                    ScoreInput::gaussian_predictions};
    const auto scores = scores_of("total_std", rows);
    expect_close(scores[0], 3e38);
    expect_close(scores[1], std::sqrt(3e38));
    EXPECT_EQ(scores[2], 0.0F);
    expect_close(scores[3], std::sqrt(static_cast<double>(1e-40F)), 1e-25);
}

TEST(CommitteeStd, of_predictions_with_variances_is_that_of_the_predictions) {
    const Rows rows = random_gaussians(200, 4, 3, 45);
    Rows means{{}, 4, 3, ScoreInput::predictions};
    for (std::size_t i = 0; i < rows.values.size(); ++i)
        if (i % 6 < 3) means.values.push_back(rows.values[i]);
    EXPECT_EQ(scores_of("committee_std", rows), scores_of("committee_std", means));
}

TEST(GaussianPredictions, a_negative_variance_is_refused) {
    for (const char* name : {"total_std", "committee_std"}) {
        const Rows rows{{1.0F, 2.0F, 3.0F, -1e-3F, 1.0F, 0.0F, 2.0F, -0.0F},
                        2,
                        2,
                        ScoreInput::gaussian_predictions};
        const auto scores = scores_of(name, rows);
        EXPECT_TRUE(std::isnan(scores[0])) << name;
        EXPECT_EQ(scores[1], 0.5F) << name;
        EXPECT_EQ(describe_bad_row(rows.block(), 0),
                  "member 1, component 0 has variance -0.001 (must be >= 0)");
        EXPECT_EQ(describe_bad_row(rows.block(), 1), "");
    }
}

}  // namespace
}  // namespace sluice::kernels
