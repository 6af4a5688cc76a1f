// Scores of the members' divergences from their mean, and the entropy of that mean, against the
// double precision oracle, published values, each other and `bald`.
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

std::vector<oracle::Row> members_of(const Rows& rows, std::int64_t row) {
    std::vector<oracle::Row> members = rows.row_members(row);
    if (rows.input == ScoreInput::committee_logits)
        for (oracle::Row& member : members)
            member = oracle::softmax(member);
    return members;
}

/// Members that differ by about `size` of each probability.
Rows nearly_equal_members(std::int64_t members, std::int64_t classes, float size, unsigned seed) {
    const Rows base = random_probabilities(50, 1, classes, seed);
    const Rows noise = random_logits(50, members, classes, seed + 1);
    Rows rows{{}, members, classes, ScoreInput::committee_logits};
    for (std::int64_t row = 0; row < 50; ++row)
        for (std::int64_t e = 0; e < rows.elements(); ++e) {
            const auto c = static_cast<std::size_t>(row * classes + e % classes);
            const auto i = static_cast<std::size_t>(row * rows.elements() + e);
            rows.values.push_back(std::log(std::max(base.values[c], 1e-30F)) +
                                  size * std::clamp(noise.values[i], -1.0F, 1.0F));
        }
    return rows;
}

Rows as_probabilities(const Rows& logits) {
    Rows rows{{}, logits.members, logits.classes, ScoreInput::committee_probabilities};
    for (std::int64_t row = 0; row < logits.count(); ++row)
        for (const oracle::Row& member : members_of(logits, row))
            for (const double p : member)
                rows.values.push_back(static_cast<float>(p));
    return rows;
}

// scikit-activeml, skactiveml/pool/tests/test_query_by_committee.py: mean KL divergence.
TEST(PublishedScores, mean_kl) {
    const Rows rows{
        {.3F, .7F, .2F, .8F, .4F, .6F, .5F, .5F}, 2, 2, ScoreInput::committee_probabilities};
    const auto scores = scores_of("mean_kl", rows);
    // The published inputs are decimals; their float32 neighbours move the result by 1e-7.
    EXPECT_NEAR(scores[0], .00670178182226764, 2e-9);
    EXPECT_NEAR(scores[1], .005059389928987596, 2e-9);
}

class Divergences : public testing::TestWithParam<std::int64_t> {};

TEST_P(Divergences, agree_with_the_oracle) {
    for (const std::int64_t members : {2, 5, 20})
        for (const Rows& rows : {random_probabilities(200, members, GetParam(), 51),
                                 random_logits(200, members, GetParam(), 52)}) {
            const auto means = scores_of("mean_kl", rows);
            const auto most = scores_of("max_kl", rows);
            for (std::int64_t row = 0; row < rows.count(); ++row) {
                const auto i = static_cast<std::size_t>(row);
                // From logits a single member keeps a little less than the members' average.
                const double mean = oracle::mean_kl(members_of(rows, row));
                const double largest = oracle::max_kl(members_of(rows, row));
                EXPECT_NEAR(means[i], mean, 2e-6 * mean + 1e-17);
                EXPECT_NEAR(most[i], largest, 2e-6 * largest + 1e-17);
            }
        }
}

TEST_P(Divergences, keep_their_digits_where_members_nearly_agree) {
    for (const float size : {1e-1F, 1e-2F, 1e-3F, 1e-4F}) {
        const Rows rows = as_probabilities(nearly_equal_members(4, GetParam(), size, 53));
        const auto means = scores_of("mean_kl", rows);
        const auto most = scores_of("max_kl", rows);
        for (std::int64_t row = 0; row < rows.count(); ++row) {
            const auto i = static_cast<std::size_t>(row);
            expect_close(means[i], oracle::mean_kl(members_of(rows, row)), 1e-17);
            expect_close(most[i], oracle::max_kl(members_of(rows, row)), 1e-17);
        }
    }
}

TEST_P(Divergences, mean_kl_is_bald) {
    std::vector<Rows> all = {random_probabilities(200, 5, GetParam(), 54),
                             random_logits(200, 5, GetParam(), 55)};
    for (const float size : {1e-1F, 1e-3F, 1e-5F})
        all.push_back(nearly_equal_members(5, GetParam(), size, 56));
    for (const Rows& rows : all) {
        const auto means = scores_of("mean_kl", rows);
        const auto bald = scores_of("bald", rows);
        for (std::size_t i = 0; i < means.size(); ++i)
            EXPECT_NEAR(means[i], bald[i], 2e-6 * static_cast<double>(bald[i]) + 1e-25);
    }
}

INSTANTIATE_TEST_SUITE_P(Classes, Divergences, testing::Values(2, 3, 10, 131),
                         testing::PrintToStringParamName());

TEST(MaxKl, lies_between_the_mean_and_its_bounds) {
    for (const std::int64_t members : {2, 3, 8}) {
        const Rows rows = random_probabilities(500, members, 5, 57);
        const auto means = scores_of("mean_kl", rows);
        const auto most = scores_of("max_kl", rows);
        for (std::size_t i = 0; i < most.size(); ++i) {
            EXPECT_GE(most[i], means[i] * (1.0F - 1e-6F));
            EXPECT_LE(most[i], std::log(static_cast<float>(members)) * (1.0F + 1e-6F));
        }
    }
}

TEST(MaxKl, of_one_member_against_the_others) {
    // Mean (3/4, 1/4): ln 4 for the last member, ln 4/3 for each other one.
    const Rows rows{{1, 0, 1, 0, 1, 0, 0, 1}, 4, 2, ScoreInput::committee_probabilities};
    expect_close(scores_of("max_kl", rows)[0], std::log(4.0));
    expect_close(scores_of("mean_kl", rows)[0], (std::log(4.0) + 3 * std::log(4.0 / 3)) / 4);
}

TEST(Divergences, members_that_agree_score_nothing) {
    const Rows rows{{.2F, .8F, 0.0F, .2F, .8F, 0.0F, .2F, .8F, 0.0F},
                    3,
                    3,
                    ScoreInput::committee_probabilities};
    for (const char* name : {"mean_kl", "max_kl"})
        EXPECT_LE(scores_of(name, rows)[0], 1e-13F) << name;
}

TEST(ConsensusEntropy, is_the_entropy_of_a_committee_bit_for_bit) {
    for (const Rows& rows : {random_probabilities(300, 5, 7, 58), random_logits(300, 5, 7, 59)})
        EXPECT_EQ(scores_of("consensus_entropy", rows), scores_of("entropy", rows));
}

}  // namespace
}  // namespace sluice::kernels
