// Rows dealt to several balances at once: by hand, against every way of dealing, and against the
// shares of one balance.
#include "select/mixed_shares.hpp"

#include "select/class_mix.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <random>

namespace sluice::select {
namespace {

using Rows = std::vector<std::int64_t>;

double misses(const std::vector<MixCell>& cells, const std::vector<WantedShares>& mixes,
              std::int64_t rows, const Rows& given) {
    double sum = 0.0;
    for (std::size_t m = 0; m < mixes.size(); ++m) {
        for (std::size_t c = 0; c < mixes[m].shares.size(); ++c) {
            double lack = mixes[m].shares[c] * static_cast<double>(rows);
            for (std::size_t i = 0; i < cells.size(); ++i)
                if (cells[i].classes[m] == c) lack -= static_cast<double>(given[i]);
            sum += mixes[m].weight * lack * lack;
        }
    }
    return sum;
}

// The least that any way of dealing misses.
double least_misses(const std::vector<MixCell>& cells, const std::vector<WantedShares>& mixes,
                    std::int64_t rows) {
    double least = 1e300;
    Rows given(cells.size(), 0);
    const std::function<void(std::size_t, std::int64_t)> deal = [&](std::size_t cell,
                                                                    std::int64_t left) {
        if (cell == cells.size()) {
            if (left == 0) least = std::min(least, misses(cells, mixes, rows, given));
            return;
        }
        for (given[cell] = 0; given[cell] <= std::min(left, cells[cell].candidates); ++given[cell])
            deal(cell + 1, left - given[cell]);
        given[cell] = 0;
    };
    deal(0, rows);
    return least;
}

TEST(MixedShares, two_balances_are_met_where_they_can_be) {
    // sunny-car, sunny-bus, rain-bus: half of each is five sunny cars and five buses in the rain.
    const std::vector<MixCell> cells = {{{0, 0}, 100}, {{0, 1}, 100}, {{1, 1}, 100}};
    const std::vector<WantedShares> mixes = {{{0.5, 0.5}}, {{0.5, 0.5}}};
    EXPECT_EQ(deal_by_mixes(cells, mixes, 10), (Rows{5, 0, 5}));
}

TEST(MixedShares, the_weightier_balance_is_met_where_not_both_can_be) {
    // All cars are sunny, all buses in the rain: 0.8 sunny against 0.8 buses.
    const std::vector<MixCell> cells = {{{0, 0}, 100}, {{1, 1}, 100}};
    std::vector<WantedShares> mixes = {{{0.8, 0.2}}, {{0.2, 0.8}}};
    EXPECT_EQ(deal_by_mixes(cells, mixes, 10), (Rows{5, 5}));
    mixes[1].weight = 100.0;
    EXPECT_EQ(deal_by_mixes(cells, mixes, 10), (Rows{2, 8}));
    mixes[0].weight = 1e6;
    EXPECT_EQ(deal_by_mixes(cells, mixes, 10), (Rows{8, 2}));
}

TEST(MixedShares, cells_give_what_they_have) {
    const std::vector<MixCell> cells = {{{0}, 2}, {{1}, 1}, {{2}, 3}};
    const std::vector<WantedShares> mixes = {{{0.8, 0.1, 0.1}}};
    EXPECT_EQ(deal_by_mixes(cells, mixes, 5), (Rows{2, 1, 2}));
    EXPECT_EQ(deal_by_mixes(cells, mixes, 50), (Rows{2, 1, 3}));
    EXPECT_TRUE(deal_by_mixes({}, mixes, 5).empty());
}

TEST(MixedShares, of_one_balance_are_its_largest_remainders) {
    std::mt19937 generator(3);
    for (int run = 0; run < 200; ++run) {
        std::vector<double> shares(generator() % 6 + 1);
        for (double& share : shares)
            share = static_cast<double>(generator() % 1000 + 1);
        const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
        std::vector<MixCell> cells;
        WantedShares mix;
        for (std::size_t c = 0; c < shares.size(); ++c) {
            cells.push_back({{c}, 1000});
            mix.shares.push_back(shares[c] / sum);
        }
        const auto rows = static_cast<std::int64_t>(generator() % 60);
        EXPECT_EQ(deal_by_mixes(cells, std::vector{mix}, rows), apportion(mix.shares, rows));
    }
}

TEST(MixedShares, are_as_near_as_any_way_of_dealing) {
    std::mt19937 generator(7);
    int num_best = 0;
    constexpr int runs = 150;
    for (int run = 0; run < runs; ++run) {
        const std::size_t counts[2] = {generator() % 2 + 2, generator() % 2 + 2};
        std::vector<WantedShares> mixes;
        for (const std::size_t count : counts) {
            WantedShares mix{{}, static_cast<double>(generator() % 3 + 1)};
            double sum = 0.0;
            for (std::size_t c = 0; c < count; ++c)
                sum += mix.shares.emplace_back(static_cast<double>(generator() % 10));
            for (double& share : mix.shares)
                share = sum > 0.0 ? share / sum : 1.0 / static_cast<double>(count);
            mixes.push_back(mix);
        }
        std::vector<MixCell> cells;
        std::int64_t candidates = 0;
        for (std::size_t a = 0; a < counts[0]; ++a)
            for (std::size_t b = 0; b < counts[1]; ++b)
                candidates +=
                    cells.emplace_back(MixCell{{a, b}, static_cast<std::int64_t>(generator() % 5)})
                        .candidates;
        const std::int64_t rows = std::min<std::int64_t>(8, candidates);
        const Rows given = deal_by_mixes(cells, mixes, rows);
        for (std::size_t i = 0; i < cells.size(); ++i)
            EXPECT_TRUE(given[i] >= 0 && given[i] <= cells[i].candidates);
        EXPECT_EQ(std::accumulate(given.begin(), given.end(), std::int64_t{0}), rows);
        const double got = misses(cells, mixes, rows, given);
        const double least = least_misses(cells, mixes, rows);
        EXPECT_GE(got, least - 1e-9);
        num_best += got <= least + 1e-9 ? 1 : 0;
    }
    // Single moves stop short of the best in rare cases.
    EXPECT_GE(num_best, runs * 9 / 10);
}

}  // namespace
}  // namespace sluice::select
