// Every score against the double precision oracle, published values and its own properties.
#include "score_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

namespace sluice::kernels {
namespace {

constexpr double tolerance = 1e-6;
constexpr double smallest_steps = 1e-40;  // where terms are denormal, their steps count
const char* const class_scores[] = {"least_confidence", "margin", "ratio", "entropy"};

void expect_close(float got, double expected, double absolute = 0.0) {
    EXPECT_TRUE(std::abs(static_cast<double>(got) - expected) <=
                tolerance * std::abs(expected) + absolute)
        << got << " is not " << expected << ", off by "
        << std::abs(static_cast<double>(got) / expected - 1.0);
}

void expect_scores(const char* name, const Rows& rows, const std::vector<double>& expected) {
    SCOPED_TRACE(name);
    const std::vector<float> scores = scores_of(name, rows);
    ASSERT_EQ(scores.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
        expect_close(scores[i], expected[i], 1e-9);
}

// scikit-activeml, skactiveml/pool/tests/test_uncertainty_sampling.py.
TEST(PublishedScores, uncertainty_sampling) {
    const Rows rows{{.2F, .5F, .3F, .1F, .7F, .2F}, 1, 3, ScoreInput::probabilities};
    expect_scores("least_confidence", rows, {.5, .3});
    expect_scores("margin", rows, {.8, .5});
    expect_scores("entropy", rows, {1.0296530140645737, .8018185525433373});
    expect_scores("ratio", rows, {.6, .2 / .7});
}

// scikit-activeml, skactiveml/pool/tests/test_query_by_committee.py: mean KL divergence.
TEST(PublishedScores, committee_divergence) {
    const Rows rows{
        {.3F, .7F, .2F, .8F, .4F, .6F, .5F, .5F}, 2, 2, ScoreInput::committee_probabilities};
    const auto scores = scores_of("bald", rows);
    // The published inputs are decimals; their float32 neighbours move the result by 1e-7.
    EXPECT_NEAR(scores[0], .00670178182226764, 2e-9);
    EXPECT_NEAR(scores[1], .005059389928987596, 2e-9);
}

// batchbald_redux, 01_batchbald.ipynb: K = 20 members, here as 20 rows of weights 1 .. 20.
TEST(PublishedScores, batchbald_mixture) {
    Rows rows{{}, 20, 4, ScoreInput::committee_probabilities};
    const float from[] = {.7F, .1F, .1F, .1F};
    const float to[] = {.3F, .3F, .2F, .2F};
    for (int k = 0; k < 20; ++k)
        for (int c = 0; c < 4; ++c)
            rows.values.push_back(
                (from[c] * static_cast<float>(19 - k) + to[c] * static_cast<float>(k)) / 19.0F);
    EXPECT_NEAR(scores_of("bald", rows)[0], .030715639666234917, 1e-7);
    EXPECT_NEAR(scores_of("entropy", rows)[0], 1.23759717, 2e-7);
}

// small-text, tests/unit/small_text/query_strategies/test_strategies.py.
TEST(PublishedScores, breaking_ties) {
    const Rows two{{.1F, .9F, .45F, .55F, .5F, .5F, .7F, .3F}, 1, 2, ScoreInput::probabilities};
    const auto entropies = scores_of("entropy", two);
    const float expected[] = {.325083F, .688139F, .693147F, .610864F};
    for (std::size_t i = 0; i < 4; ++i)
        EXPECT_NEAR(entropies[i], expected[i], 1e-6);
    const Rows three{{.1F, .75F, .15F, .45F, .5F, .05F, .1F, .8F, .1F, .7F, .15F, .15F},
                     1,
                     3,
                     ScoreInput::probabilities};
    expect_scores("margin", three, {1 - .6, 1 - .05, 1 - .7, 1 - .55});
}

TEST(PublishedScores, certain_rows_are_not_chosen_over_uncertain_ones) {
    const Rows rows{{.4F, .3F, .3F, .9F, .05F, .05F}, 1, 3, ScoreInput::probabilities};
    for (const char* name : class_scores) {
        const auto scores = scores_of(name, rows);
        EXPECT_GT(scores[0], scores[1]) << name;
    }
}

class ScoresOfClasses : public testing::TestWithParam<std::int64_t> {};

TEST_P(ScoresOfClasses, probabilities_agree_with_the_oracle) {
    const Rows rows = random_probabilities(500, 1, GetParam(), 3);
    for (const char* name : class_scores) {
        SCOPED_TRACE(name);
        const auto scores = scores_of(name, rows);
        for (std::int64_t row = 0; row < rows.count(); ++row)
            expect_close(scores[static_cast<std::size_t>(row)],
                         oracle::score_of_distribution(name, rows.row(row)), smallest_steps);
    }
}

TEST_P(ScoresOfClasses, logits_agree_with_the_oracle) {
    const Rows rows = random_logits(500, 1, GetParam(), 4);
    const auto least = scores_of("least_confidence", rows);
    const auto margin = scores_of("margin", rows);
    const auto ratio = scores_of("ratio", rows);
    const auto entropy = scores_of("entropy", rows);
    for (std::int64_t row = 0; row < rows.count(); ++row) {
        const auto i = static_cast<std::size_t>(row);
        const oracle::Row logits = rows.row(row);
        expect_close(least[i], oracle::least_confidence_of_logits(logits), smallest_steps);
        expect_close(margin[i], oracle::margin_of_logits(logits), smallest_steps);
        expect_close(ratio[i], oracle::ratio(oracle::softmax(logits)), smallest_steps);
        expect_close(entropy[i], oracle::entropy_of_logits(logits), smallest_steps);
    }
}

TEST_P(ScoresOfClasses, committees_agree_with_the_oracle) {
    for (const std::int64_t members : {2, 5}) {
        const Rows rows = random_probabilities(300, members, GetParam(), 5);
        for (const char* name : class_scores) {
            SCOPED_TRACE(name);
            const auto scores = scores_of(name, rows);
            for (std::int64_t row = 0; row < rows.count(); ++row)
                expect_close(scores[static_cast<std::size_t>(row)],
                             oracle::score_of_distribution(
                                 name, oracle::mean_of_members(rows.row_members(row))),
                             smallest_steps);
        }
        const auto bald = scores_of("bald", rows);
        for (std::int64_t row = 0; row < rows.count(); ++row)
            expect_close(bald[static_cast<std::size_t>(row)], oracle::bald(rows.row_members(row)),
                         1e-29);
    }
}

std::vector<oracle::Row> softmax_members(const Rows& rows, std::int64_t row) {
    std::vector<oracle::Row> members = rows.row_members(row);
    for (oracle::Row& member : members)
        member = oracle::softmax(member);
    return members;
}

TEST_P(ScoresOfClasses, committees_of_logits_agree_with_the_oracle) {
    const Rows rows = random_logits(300, 4, GetParam(), 6);
    for (const char* name : class_scores) {
        SCOPED_TRACE(name);
        const auto scores = scores_of(name, rows);
        for (std::int64_t row = 0; row < rows.count(); ++row)
            // 1e-15: what the oracle's own 1 - p1 leaves.
            expect_close(scores[static_cast<std::size_t>(row)],
                         oracle::score_of_distribution(
                             name, oracle::mean_of_members(softmax_members(rows, row))),
                         1e-15);
    }
}

INSTANTIATE_TEST_SUITE_P(Classes, ScoresOfClasses, testing::Values(2, 3, 10, 65, 1000),
                         testing::PrintToStringParamName());

TEST(LongRows, hundred_thousand_classes) {
    const Rows rows = random_probabilities(2, 1, 100000, 7);
    const auto entropy = scores_of("entropy", rows);
    const Rows logits = random_logits(2, 1, 100000, 8);
    const auto of_logits = scores_of("entropy", logits);
    for (std::int64_t row = 0; row < 2; ++row) {
        const auto i = static_cast<std::size_t>(row);
        expect_close(entropy[i], oracle::entropy(rows.row(row)));
        expect_close(of_logits[i], oracle::entropy_of_logits(logits.row(row)));
    }
}

TEST(ExtremeRows, certain_and_tied_probabilities) {
    const Rows rows{
        {1.0F, 0.0F, 0.0F, 0.5F, 0.5F, 0.0F, 1.0F, -0.0F, 1e-40F}, 1, 3, ScoreInput::probabilities};
    for (const char* name : {"least_confidence", "entropy"})
        EXPECT_EQ(scores_of(name, rows)[0], 0.0F) << name;
    EXPECT_EQ(scores_of("margin", rows)[0], 0.0F);
    EXPECT_EQ(scores_of("ratio", rows)[1], 1.0F);
    EXPECT_EQ(scores_of("margin", rows)[1], 1.0F);
    expect_close(scores_of("entropy", rows)[1], std::log(2.0));
    const double tiny = rows.row(2)[2];
    expect_close(scores_of("entropy", rows)[2], -tiny * std::log(tiny), 2e-45);
}

TEST(ExtremeRows, logits_of_ten_thousand) {
    const Rows rows{{1e4F, -1e4F, 0, 1e4F, 1e4F, -1e4F, -1e4F, -1e4F, -1e4F, 3e38F, -3e38F, 0},
                    1,
                    3,
                    ScoreInput::logits};
    for (const char* name : class_scores)
        for (const float score : scores_of(name, rows))
            EXPECT_TRUE(std::isfinite(score)) << name;
    const auto entropy = scores_of("entropy", rows);
    EXPECT_EQ(entropy[0], 0.0F);
    expect_close(entropy[1], std::log(2.0));
    expect_close(entropy[2], std::log(3.0));
    EXPECT_EQ(entropy[3], 0.0F);
}

TEST(Bald, equals_the_difference_of_entropies) {
    const Rows rows = random_probabilities(500, 5, 10, 9);
    const auto scores = scores_of("bald", rows);
    for (std::int64_t row = 0; row < rows.count(); ++row) {
        oracle::Row checked;
        // The identity holds where members sum to 1: normalise what rounding left.
        std::vector<oracle::Row> members = rows.row_members(row);
        for (oracle::Row& member : members) {
            const double sum = std::accumulate(member.begin(), member.end(), 0.0);
            for (double& p : member)
                p /= sum;
        }
        expect_close(scores[static_cast<std::size_t>(row)], oracle::bald_as_entropies(members),
                     1e-7);
    }
}

TEST(Bald, lies_between_zero_and_its_bound) {
    for (const std::int64_t members : {2, 3, 8})
        for (const std::int64_t classes : {2, 5}) {
            const Rows rows = random_probabilities(1000, members, classes, 10);
            const double bound = std::log(static_cast<double>(std::min(members, classes)));
            for (const float score : scores_of("bald", rows)) {
                EXPECT_GE(score, 0.0F);
                EXPECT_LE(static_cast<double>(score), bound * (1.0 + tolerance));
            }
        }
}

TEST(Bald, reaches_its_bound) {
    const Rows rows{{1, 0, 0, 1}, 2, 2, ScoreInput::committee_probabilities};
    expect_close(scores_of("bald", rows)[0], std::log(2.0));
}

TEST(Bald, members_that_agree_score_nothing) {
    const Rows single = random_probabilities(200, 1, 7, 11);
    for (const std::int64_t members : {2, 3, 5}) {
        Rows rows{{}, members, 7, ScoreInput::committee_probabilities};
        for (std::int64_t row = 0; row < single.count(); ++row)
            for (std::int64_t m = 0; m < members; ++m)
                rows.values.insert(rows.values.end(), single.values.begin() + row * 7,
                                   single.values.begin() + row * 7 + 7);
        for (const float score : scores_of("bald", rows))
            EXPECT_LE(score, 1e-20F);
    }
}

TEST(Bald, keeps_its_digits_where_members_nearly_agree) {
    Rows rows{{}, 3, 4, ScoreInput::committee_probabilities};
    const float base[] = {.4F, .3F, .2F, .1F};
    for (const float shift : {1e-2F, 1e-3F, 1e-4F, 1e-5F, 1e-6F})
        for (const float part : {-1.0F, 0.0F, 1.0F}) {
            rows.values.insert(rows.values.end(), std::begin(base), std::end(base));
            float* member = rows.values.data() + rows.values.size() - 4;
            member[0] += part * shift;
            member[1] -= part * shift;
        }
    const auto scores = scores_of("bald", rows);
    for (std::int64_t row = 0; row < rows.count(); ++row)
        expect_close(scores[static_cast<std::size_t>(row)], oracle::bald(rows.row_members(row)));
}

TEST(Bald, order_of_members_hardly_matters) {
    const Rows rows = random_probabilities(200, 4, 6, 12);
    Rows turned = rows;
    for (std::size_t i = 0; i < rows.values.size(); i += 24)
        std::rotate(turned.values.begin() + static_cast<std::ptrdiff_t>(i),
                    turned.values.begin() + static_cast<std::ptrdiff_t>(i) + 6,
                    turned.values.begin() + static_cast<std::ptrdiff_t>(i) + 24);
    const auto scores = scores_of("bald", rows);
    const auto turned_scores = scores_of("bald", turned);
    for (std::size_t i = 0; i < scores.size(); ++i)
        expect_close(turned_scores[i], static_cast<double>(scores[i]));
}

TEST(BinaryRows, uncertainty_scores_rank_alike) {
    std::mt19937 generator(13);
    // In steps of 2^-20, so that 1 - p is exact and all scores see the same distribution.
    std::uniform_int_distribution<int> uniform(1000, (1 << 20) - 1000);
    Rows rows{{}, 1, 2, ScoreInput::probabilities};
    for (int i = 0; i < 100000; ++i) {
        const float p = static_cast<float>(uniform(generator)) * 0x1p-20F;
        rows.values.insert(rows.values.end(), {p, 1.0F - p});
    }
    std::vector<std::size_t> order(100000);
    std::iota(order.begin(), order.end(), 0U);
    const auto least = scores_of("least_confidence", rows);
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return least[a] < least[b]; });
    for (const char* name : {"margin", "ratio", "entropy"}) {
        const auto scores = scores_of(name, rows);
        for (std::size_t i = 1; i < order.size(); ++i)
            // Neighbours that differ by a rounding error may tie or swap within it.
            EXPECT_GE(scores[order[i]], scores[order[i - 1]] * (1.0F - 4e-7F)) << name;
    }
}

TEST(CommitteeStd, agrees_with_the_oracle) {
    std::mt19937 generator(14);
    std::normal_distribution<float> normal;
    for (const std::int64_t components : {1, 3, 32})
        for (const std::int64_t members : {2, 5}) {
            Rows rows{{}, members, components, ScoreInput::predictions};
            for (int i = 0; i < 200 * members * components; ++i)
                rows.values.push_back(normal(generator) + 1000.0F * static_cast<float>(i % 3));
            const auto scores = scores_of("committee_std", rows);
            for (std::int64_t row = 0; row < rows.count(); ++row)
                expect_close(scores[static_cast<std::size_t>(row)],
                             oracle::committee_std(rows.row_members(row)));
        }
}

TEST(CommitteeStd, an_offset_costs_no_digits) {
    const Rows rows{{-76.4321F, -76.4322F, -76.4320F}, 3, 1, ScoreInput::predictions};
    expect_close(scores_of("committee_std", rows)[0], oracle::committee_std(rows.row_members(0)));
}

TEST(CommitteeStd, ends_of_the_range) {
    const Rows rows{{3e38F, -3e38F, 1e-38F, 3e-38F, 7.0F, 7.0F, 1e-30F, -1e-30F},
                    2,
                    1,
                    ScoreInput::predictions};
    const auto scores = scores_of("committee_std", rows);
    expect_close(scores[0], 3e38, 1e32);
    expect_close(scores[1], 1e-38, 1e-44);
    EXPECT_EQ(scores[2], 0.0F);
    expect_close(scores[3], 1e-30, 1e-36);
}

}  // namespace
}  // namespace sluice::kernels
