/// The rules that draw: how often rows come up, and what is known of the rows drawn.

#include "core/philox.hpp"
#include "diversity_lists.hpp"
#include "select/diversity/race.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

namespace sluice::select {
namespace {

using test::List;
using test::make_list;
using test::nearest;
using test::options_of;
using test::pool;

// Pearson's statistic of how often each place came up against what was expected.
double chi_square(const std::map<std::int64_t, double>& counts,
                  const std::vector<double>& expected) {
    double sum = 0.0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
        if (expected[i] == 0.0) continue;
        const auto found = counts.find(static_cast<std::int64_t>(i));
        const double count = found == counts.end() ? 0.0 : found->second;
        sum += (count - expected[i]) * (count - expected[i]) / expected[i];
    }
    return sum;
}

// Where a row is passed over unseen, its gain is not above the bar.
TEST(DiversityDraws, a_gain_above_the_bar_has_an_early_word) {
    constexpr double weight = 3.0;
    for (const auto clock : {Race::Clock::picks, Race::Clock::cluster_seeds}) {
        const Race race{7, 2, 5, clock};
        for (const double share : {1e-3, 1e-2, 0.3, 2.0}) {
            const double bar = weight / share;
            std::int64_t num_above = 0;
            for (RowId row = 0; row < 100'000; ++row) {
                if (!(race.gain(row, weight).gain > bar)) continue;
                ++num_above;
                const Philox4 words = random_words(race.seed, Race::purpose(clock), race.round,
                                                   static_cast<std::uint64_t>(row), 5);
                EXPECT_LE(words.word[Race::top_word(clock)], Race::last_word(weight, bar));
            }
            EXPECT_NEAR(static_cast<double>(num_above), 1e5 * -std::expm1(-share), 1e3);
        }
    }
}

constexpr std::int64_t num_draws = 4000;
constexpr double chi_square_of_7 = 24.3;  // degrees of freedom, at a level of 0.001

// Counts pick `number` over rounds whose earlier picks are those of the first round, if any.
std::map<std::int64_t, double> draw(const List& list, const std::string& rule) {
    std::map<std::int64_t, double> counts;
    comm::Communicator alone;
    for (std::uint32_t round = 0; round < num_draws; ++round) {
        DiversityOptions options = options_of(2);
        options.round = round;
        const DiverseBatch batch = test::pick(list, rule, options, alone);
        counts[List::place(batch.picks[rule == "badge" ? 1 : 0].row)] += 1.0;
    }
    return counts;
}

TEST(DiversityDraws, kmeanspp_draws_by_squared_distance) {
    List list = make_list(8, 3, 60, 0, 2);
    const float* const center = list.center(0);
    std::copy(center, center + 3, list.features.begin() + 6);  // place 2: never first
    std::vector<double> expected;
    for (std::int64_t i = 0; i < list.size(); ++i)
        expected.push_back(nearest(list, {}, i));
    const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
    for (double& value : expected)
        value *= static_cast<double>(num_draws) / sum;
    const auto counts = draw(list, "kmeanspp");
    EXPECT_FALSE(counts.contains(2));
    EXPECT_LT(chi_square(counts, expected), chi_square_of_7);
}

TEST(DiversityDraws, kmeanspp_without_centres_begins_anywhere) {
    const List list = make_list(8, 3, 61, 0, 0);
    EXPECT_LT(chi_square(draw(list, "kmeanspp"), std::vector<double>(8, num_draws / 8.0)),
              chi_square_of_7);
}

// (mean probability - most probable class) x features, built.
std::vector<double> gradient(const List& list, std::int64_t place) {
    std::vector<double> mean(static_cast<std::size_t>(list.classes), 0.0);
    for (std::int64_t m = 0; m < list.members; ++m) {
        for (std::int64_t c = 0; c < list.classes; ++c) {
            mean[static_cast<std::size_t>(c)] +=
                double{list.says[static_cast<std::size_t>(
                    (place * list.members + m) * list.classes + c)]} /
                static_cast<double>(list.members);
        }
    }
    *std::max_element(mean.begin(), mean.end()) -= 1.0;
    std::vector<double> result;
    for (const double q : mean) {
        for (std::int64_t k = 0; k < list.dim; ++k)
            result.push_back(q * double{list.at(place)[k]});
    }
    return result;
}

double squared(const std::vector<double>& x, const std::vector<double>& y) {
    double sum = 0.0;
    for (std::size_t k = 0; k < x.size(); ++k)
        sum += (x[k] - y[k]) * (x[k] - y[k]);
    return sum;
}

TEST(DiversityDraws, badge_draws_by_distance_of_gradients) {
    const List list = make_list(9, 3, 62, 0, 1);
    const std::vector<double> zero(12, 0.0);
    std::int64_t longest = 0;
    for (std::int64_t i = 0; i < list.size(); ++i) {
        if (squared(gradient(list, i), zero) > squared(gradient(list, longest), zero)) longest = i;
    }
    std::vector<double> expected;
    for (std::int64_t i = 0; i < list.size(); ++i)
        expected.push_back(squared(gradient(list, i), gradient(list, longest)));
    const double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
    for (double& value : expected)
        value *= static_cast<double>(num_draws) / sum;
    EXPECT_LT(chi_square(draw(list, "badge"), expected), chi_square_of_7);
}

TEST(DiversityDraws, badge_knows_the_distances_of_gradients_it_never_builds) {
    for (unsigned number = 0; number < test::num_pools; ++number) {
        if (number % 4 == 3) continue;  // most probable classes that tie, but for rounding
        const List list = pool(number);
        const DiverseBatch batch = test::pick(list, "badge", options_of(20), sluice::test::world());
        std::vector<std::vector<double>> chosen;
        for (const DiversePick& pick : batch.picks) {
            const std::vector<double> one = gradient(list, List::place(pick.row));
            double least = std::numeric_limits<double>::infinity();
            if (chosen.empty()) least = squared(one, std::vector<double>(one.size(), 0.0));
            for (const auto& other : chosen)
                least = std::min(least, squared(one, other));
            ASSERT_NEAR(double{pick.value}, std::sqrt(least), 2e-3) << number;
            chosen.push_back(one);
        }
    }
}

TEST(DiversityDraws, badge_takes_rows_without_a_gradient_by_chance) {
    List list = make_list(30, 3, 63, 0, 0);
    for (std::size_t i = 0; i < list.says.size(); ++i)
        list.says[i] = i % 4 == 1 ? 1.0F : 0.0F;
    std::map<std::int64_t, double> seconds = draw(list, "badge");
    EXPECT_GT(seconds.size(), 25U);
    const DiverseBatch batch = test::pick(list, "badge", options_of(30), sluice::test::world());
    for (const DiversePick& pick : batch.picks)
        EXPECT_EQ(pick.value, 0.0F);
}

}  // namespace
}  // namespace sluice::select
