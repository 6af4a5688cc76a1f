#include "select/randomization.hpp"

#include "core/partition.hpp"
#include "core/types.hpp"
#include "select/soft_rank.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

TEST(Gumbel, has_its_mean_and_variance) {
    double sum = 0.0;
    double squares = 0.0;
    constexpr int count = 200'000;
    for (RowId row = 0; row < count; ++row) {
        const auto noise = static_cast<double>(gumbel_noise(3, 1, row));
        ASSERT_TRUE(std::isfinite(noise));
        sum += noise;
        squares += noise * noise;
    }
    const double mean = sum / count;
    EXPECT_NEAR(mean, 0.57721566, 0.01);
    EXPECT_NEAR(squares / count - mean * mean, 1.64493407, 0.03);
    EXPECT_EQ(gumbel_noise(3, 1, 8), gumbel_noise(3, 1, 8));
    EXPECT_NE(gumbel_noise(3, 1, 8), gumbel_noise(4, 1, 8));
    EXPECT_NE(gumbel_noise(3, 1, 8), gumbel_noise(3, 2, 8));
}

// How often each of some scores has the highest key.
std::vector<double> shares_of_wins(const Randomization& randomization,
                                   const std::vector<float>& scores) {
    constexpr std::uint32_t rounds = 40'000;
    std::vector<double> wins(scores.size(), 0.0);
    for (std::uint32_t round = 0; round < rounds; ++round) {
        std::vector<float> keys = scores;
        perturb_scores(randomization, 11, round, 500, keys);
        wins[static_cast<std::size_t>(std::max_element(keys.begin(), keys.end()) - keys.begin())] +=
            1.0 / rounds;
    }
    return wins;
}

TEST(PerturbScores, rows_win_by_their_weight) {
    const std::vector<float> scores = {0.1F, 0.4F, 0.5F, 1.0F};
    const auto power = shares_of_wins(parse_randomization("power:1"), scores);
    const auto squared = shares_of_wins(parse_randomization("power:2"), scores);
    const auto softmax = shares_of_wins(parse_randomization("softmax:3"), scores);
    double sum_of_exp = 0.0;
    for (const float score : scores)
        sum_of_exp += std::exp(3.0 * static_cast<double>(score));
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const auto score = static_cast<double>(scores[i]);
        EXPECT_NEAR(power[i], score / 2.0, 0.012);
        EXPECT_NEAR(squared[i], score * score / 1.42, 0.012);
        EXPECT_NEAR(softmax[i], std::exp(3.0 * score) / sum_of_exp, 0.012);
    }
}

TEST(PerturbScores, great_coldness_leaves_the_order) {
    std::vector<float> keys = {3.0F, 1.0F, 2.0F, 0.0F, 1e-30F, 3e38F};
    perturb_scores(parse_randomization("power:1e6"), 1, 1, 0, keys);
    EXPECT_LT(keys[1], keys[2]);
    EXPECT_LT(keys[2], keys[0]);
    EXPECT_LT(keys[0], keys[5]);
    EXPECT_LT(keys[4], keys[1]);
    EXPECT_EQ(keys[3], -std::numeric_limits<float>::max());
    EXPECT_NEAR(keys[5], std::log(3e38), 1e-4);
}

TEST(PerturbScores, negative_scores_have_no_power_but_a_softmax) {
    std::vector<float> keys = {-1.0F};
    perturb_scores(parse_randomization("softmax:1"), 1, 1, 0, keys);
    EXPECT_TRUE(std::isfinite(keys[0]));
    keys = {-1.0F};
    perturb_scores(parse_randomization("power"), 1, 1, 0, keys);
    EXPECT_TRUE(std::isnan(keys[0]));
}

TEST(ParseRandomization, reads_and_writes) {
    EXPECT_EQ(parse_randomization("none").text(), "none");
    EXPECT_EQ(parse_randomization("power").text(), "power:1");
    EXPECT_EQ(parse_randomization("softrank:0.50").text(), "softrank:0.5");
    for (const char* wrong :
         {"", "powr:1", "power:", "power:0", "power:-1", "power:x", "none:1", "softmax:inf"})
        test::expect_error(ExitCode::usage, "--randomize", [&] { parse_randomization(wrong); });
}

TEST(SoftRank, ranks_are_those_of_all_candidates) {
    comm::Communicator& world = test::world();
    constexpr RowId count = 1000;
    std::vector<Candidate> all;
    for (RowId row = 0; row < count; ++row)
        all.push_back({static_cast<float>(row * 37 % 101), row});  // ties
    const RowRange own = part_of_rows(count, world.rank(), world.size());
    std::vector<Candidate> mine(all.begin() + own.begin, all.begin() + own.end);
    std::sort(mine.begin(), mine.end(), better);
    std::sort(all.begin(), all.end(), better);
    const std::vector<std::int64_t> counts = num_better(mine, world);
    for (std::size_t i = 0; i < mine.size(); ++i)
        EXPECT_EQ(all[static_cast<std::size_t>(counts[i])], mine[i]);
}

TEST(SoftRank, keys_fall_with_the_logarithm_of_the_rank) {
    EXPECT_EQ(rank_key(1.0, 1, 0.25F), 0.25F);
    EXPECT_NEAR(rank_key(2.0, 100, 1.0F), 0.5 - std::log(100.0), 1e-5);
}

}  // namespace
}  // namespace sluice::select
