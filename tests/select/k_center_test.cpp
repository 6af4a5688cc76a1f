#include "select/k_center.hpp"

#include "core/error.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace sluice::select {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// A whole shortlist, the same on every rank. Row ids are not the positions.
struct Shortlist {
    std::int64_t dim = 1;
    std::vector<float> features;
    std::vector<float> nearest;

    std::int64_t size() const { return static_cast<std::int64_t>(nearest.size()); }
    RowId row(std::int64_t position) const { return 3 * position + 7; }
    std::int64_t position(RowId row) const { return (row - 7) / 3; }
    const float* at(std::int64_t position) const { return features.data() + position * dim; }
};

Shortlist shortlist_of(std::int64_t dim, std::vector<float> features) {
    Shortlist list{dim, std::move(features), {}};
    list.nearest.assign(list.features.size() / static_cast<std::size_t>(dim), infinity);
    return list;
}

Shortlist gaussian(std::int64_t size, std::int64_t dim, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<float> features(static_cast<std::size_t>(size * dim));
    for (float& value : features)
        value = normal(generator);
    return shortlist_of(dim, std::move(features));
}

// Small integers: distances are exact and full of ties.
Shortlist grid(std::int64_t size, std::int64_t dim, int num_values, unsigned seed) {
    std::mt19937 generator(seed);
    std::vector<float> features(static_cast<std::size_t>(size * dim));
    for (float& value : features)
        value = static_cast<float>(generator() % num_values);
    return shortlist_of(dim, std::move(features));
}

void add_centers(Shortlist& list, const Shortlist& centers) {
    kernels::relax_nearest(kernels::Backend::cpu, {list.features.data(), list.size(), list.dim},
                           {centers.features.data(), centers.size(), list.dim}, list.nearest, 1);
}

// Which rank holds a position: shares that are even, uneven, interleaved, or empty but for one.
enum class Split { contiguous, uneven, interleaved, last_rank };

int owner(Split split, std::int64_t position, std::int64_t size, int num_ranks) {
    switch (split) {
        case Split::contiguous:
            return static_cast<int>(position * num_ranks / size);
        case Split::uneven:
            return position < size / 10 ? 0 : static_cast<int>(position * num_ranks / size);
        case Split::interleaved:
            return static_cast<int>((position * 7919 / 3) % num_ranks);
        case Split::last_rank:
            return num_ranks - 1;
    }
    return 0;
}

KCenterResult run(const Shortlist& list, const KCenterOptions& options,
                  Split split = Split::contiguous) {
    comm::Communicator& world = test::world();
    std::vector<RowId> rows;
    std::vector<float> features;
    std::vector<float> nearest;
    for (std::int64_t i = 0; i < list.size(); ++i) {
        if (owner(split, i, list.size(), world.size()) != world.rank()) continue;
        rows.push_back(list.row(i));
        features.insert(features.end(), list.at(i), list.at(i) + list.dim);
        nearest.push_back(list.nearest[static_cast<std::size_t>(i)]);
    }
    const auto count = static_cast<std::int64_t>(rows.size());
    return k_center({rows, {features.data(), count, list.dim}, nearest}, options, world, nullptr);
}

// The greedy as it is defined: one pick, one pass over all rows.
KCenterResult plain_greedy(const Shortlist& list, const KCenterOptions& options) {
    std::vector<float> nearest = list.nearest;
    std::vector<bool> picked(nearest.size(), false);
    KCenterResult result;
    const bool has_center =
        std::any_of(nearest.begin(), nearest.end(), [](float d) { return d < infinity; });
    const auto num_picks = std::min(options.num_picks, list.size());
    while (static_cast<std::int64_t>(result.picks.size()) < num_picks) {
        std::size_t best = nearest.size();
        for (std::size_t i = 0; i < nearest.size(); ++i) {
            if (!picked[i] && (best == nearest.size() || nearest[i] > nearest[best])) best = i;
        }
        if (result.picks.empty() && !has_center && options.first_pick >= 0) {
            best = static_cast<std::size_t>(list.position(options.first_pick));
        }
        result.picks.push_back({list.row(static_cast<std::int64_t>(best)), nearest[best]});
        picked[best] = true;
        for (std::int64_t i = 0; i < list.size(); ++i) {
            float& distance = nearest[static_cast<std::size_t>(i)];
            distance = std::min(
                distance, kernels::squared_distance(
                              list.at(i), list.at(static_cast<std::int64_t>(best)), list.dim));
        }
    }
    for (std::size_t i = 0; i < nearest.size(); ++i) {
        if (!picked[i]) result.squared_radius = std::max(result.squared_radius, nearest[i]);
    }
    return result;
}

void expect_same(const KCenterResult& result, const KCenterResult& expected,
                 const std::string& what) {
    ASSERT_EQ(result.picks.size(), expected.picks.size()) << what;
    for (std::size_t i = 0; i < expected.picks.size(); ++i) {
        ASSERT_EQ(result.picks[i].row, expected.picks[i].row) << what << ", pick " << i;
        ASSERT_EQ(result.picks[i].squared_distance, expected.picks[i].squared_distance)
            << what << ", pick " << i;
    }
    EXPECT_EQ(result.squared_radius, expected.squared_radius) << what;
}

KCenterOptions picks(std::int64_t num_picks, std::int64_t panel_rows = 2048) {
    KCenterOptions options;
    options.num_picks = num_picks;
    options.panel_rows = panel_rows;
    return options;
}

TEST(KCenter, equals_the_plain_greedy_bit_for_bit_for_any_panel_and_split) {
    const std::vector<Shortlist> lists{gaussian(300, 1, 1),  gaussian(300, 2, 2),
                                       gaussian(200, 17, 3), gaussian(7, 5, 4),
                                       grid(300, 2, 6, 5),   grid(250, 3, 3, 6)};
    for (const Shortlist& list : lists) {
        const auto expected = plain_greedy(list, picks(60));
        for (const std::int64_t panel_rows : {1, 7, 64, 2048}) {
            for (const Split split :
                 {Split::contiguous, Split::uneven, Split::interleaved, Split::last_rank}) {
                if (panel_rows < 64 && split != Split::uneven) continue;  // many rounds
                KCenterOptions options = picks(60, panel_rows);
                options.num_threads = 1 + static_cast<int>(panel_rows % 2);
                expect_same(run(list, options, split), expected,
                            "N " + std::to_string(list.size()) + " D " + std::to_string(list.dim) +
                                " S " + std::to_string(panel_rows));
            }
        }
    }
}

TEST(KCenter, ties_go_to_the_lower_row_whichever_rank_holds_it) {
    for (unsigned seed = 0; seed < 20; ++seed) {
        const Shortlist list = grid(60, 2, 4 + static_cast<int>(seed % 3), 200 + seed);
        for (const std::int64_t panel_rows : {2, 9}) {
            expect_same(run(list, picks(25, panel_rows), Split::interleaved),
                        plain_greedy(list, picks(25)), "seed " + std::to_string(seed));
        }
    }
}

TEST(KCenter, starts_from_the_centres_that_are_there) {
    for (const std::int64_t num_centers : {1, 5, 80}) {
        Shortlist list = gaussian(400, 6, 7);
        add_centers(list, gaussian(num_centers, 6, 8));
        KCenterOptions options = picks(50, 32);
        options.first_pick = list.row(123);  // for the case without centres only
        const auto result = run(list, options, Split::uneven);
        expect_same(result, plain_greedy(list, picks(50)), std::to_string(num_centers));
        EXPECT_LT(result.picks[0].squared_distance, infinity);
    }
}

TEST(KCenter, first_pick_comes_first_without_centres) {
    const Shortlist list = gaussian(200, 4, 9);
    for (const std::int64_t first : {0, 77, 199}) {
        KCenterOptions options = picks(20, 16);
        options.first_pick = list.row(first);
        const auto result = run(list, options);
        expect_same(result, plain_greedy(list, options), std::to_string(first));
        EXPECT_EQ(result.picks[0].row, list.row(first));
        EXPECT_EQ(result.picks[0].squared_distance, infinity);
    }
}

TEST(KCenter, first_pick_must_be_in_the_shortlist) {
    KCenterOptions options = picks(3);
    options.first_pick = 8;  // between two rows of the list
    EXPECT_THROW(run(gaussian(20, 2, 10), options), Error);
}

/// The relative error of a chain of D fused multiply-adds in float32 over squared differences is
/// at most about g = (D + 2) 2^-24: one rounding for each sum, two more (squared) for the
/// difference. A row that wins in float32 therefore has a true distance of at least
/// (1 - g) / (1 + g) times that of any other row.
TEST(KCenter, equals_a_float64_greedy_up_to_ties_closer_than_the_bound) {
    const std::int64_t dims[] = {1, 2, 3, 17, 64, 2048};
    for (unsigned seed = 0; seed < 50; ++seed) {
        const std::int64_t dim = dims[seed % 6];
        const std::int64_t size = dim == 2048 ? 40 : 20 + 13 * seed % 331;
        const Shortlist list = gaussian(size, dim, 100 + seed);
        const auto result = run(list, picks(30, 64), Split::interleaved);
        const double error = static_cast<double>(dim + 2) * std::ldexp(1.0, -24);
        std::vector<double> nearest(static_cast<std::size_t>(size),
                                    std::numeric_limits<double>::infinity());
        for (const KCenterPick& pick : result.picks) {
            const std::int64_t picked = list.position(pick.row);
            double& distance = nearest[static_cast<std::size_t>(picked)];
            const double best = *std::max_element(nearest.begin(), nearest.end());
            ASSERT_GE(distance, best * (1.0 - error) / (1.0 + error)) << "pool " << seed;
            if (best < infinity) {
                ASSERT_NEAR(pick.squared_distance, distance, error * distance) << "pool " << seed;
            }
            for (std::int64_t i = 0; i < size; ++i) {
                double sum = 0.0;
                for (std::int64_t k = 0; k < dim; ++k) {
                    const double d = double{list.at(i)[k]} - double{list.at(picked)[k]};
                    sum += d * d;
                }
                nearest[static_cast<std::size_t>(i)] =
                    std::min(nearest[static_cast<std::size_t>(i)], sum);
            }
            distance = -1.0;  // never again
        }
        ASSERT_EQ(static_cast<std::int64_t>(result.picks.size()), std::min<std::int64_t>(30, size));
    }
}

TEST(KCenter, duplicates_go_by_row_in_few_rounds) {
    const Shortlist list = shortlist_of(3, std::vector<float>(3 * 600, 1.5F));
    const auto result = run(list, picks(500, 256), Split::interleaved);
    ASSERT_EQ(result.picks.size(), 500U);
    for (std::int64_t i = 0; i < 500; ++i) {
        EXPECT_EQ(result.picks[static_cast<std::size_t>(i)].row, list.row(i));
    }
    EXPECT_EQ(result.squared_radius, 0.0F);
    EXPECT_LE(result.rounds, 4);
}

TEST(KCenter, picks_every_row_once_when_asked_for_all_or_more) {
    const Shortlist list = grid(90, 2, 4, 11);  // 16 different points
    for (const std::int64_t num_picks : {90, 91, 1000}) {
        const auto result = run(list, picks(num_picks, 8), Split::interleaved);
        expect_same(result, plain_greedy(list, picks(num_picks)), std::to_string(num_picks));
        std::vector<RowId> rows;
        for (const KCenterPick& pick : result.picks)
            rows.push_back(pick.row);
        std::sort(rows.begin(), rows.end());
        EXPECT_EQ(std::adjacent_find(rows.begin(), rows.end()), rows.end());
        EXPECT_EQ(rows.size(), 90U);
    }
}

TEST(KCenter, nothing_to_do_is_no_error) {
    const auto none = run(shortlist_of(2, {}), picks(5));
    EXPECT_TRUE(none.picks.empty());
    EXPECT_EQ(none.squared_radius, 0.0F);
    Shortlist list = gaussian(30, 2, 12);
    add_centers(list, gaussian(2, 2, 13));
    const auto result = run(list, picks(0));
    EXPECT_TRUE(result.picks.empty());
    EXPECT_EQ(result.rounds, 0);
    EXPECT_EQ(result.squared_radius, *std::max_element(list.nearest.begin(), list.nearest.end()));
}

TEST(KCenter, radii_never_increase_and_all_ranks_agree) {
    Shortlist list = gaussian(3000, 8, 14);
    add_centers(list, gaussian(3, 8, 15));
    const auto result = run(list, picks(300, 256));
    float previous = infinity;
    std::vector<std::int64_t> rows;
    for (const KCenterPick& pick : result.picks) {
        EXPECT_LE(pick.squared_distance, previous);
        previous = pick.squared_distance;
        rows.push_back(pick.row);
    }
    EXPECT_LE(result.squared_radius, previous);
    const auto of_ranks = test::world().all_gather(std::span<const std::int64_t>(rows));
    for (std::size_t i = 0; i < of_ranks.size(); ++i) {
        EXPECT_EQ(of_ranks[i], rows[i % rows.size()]);
    }
}

TEST(KCenter, needs_a_fortieth_of_the_picks_in_rounds) {
    constexpr std::int64_t size = 20000;
    const auto result = run(gaussian(size, 64, 16), picks(1000));
    EXPECT_LE(result.rounds, 1000 / 40);
    EXPECT_LT(result.rows_refreshed, 8 * size);
}

TEST(KCenter, receives_at_most_two_panels_a_round) {
    comm::Communicator& world = test::world();
    const std::int64_t bytes_before = world.traffic().bytes_received;
    const auto result = run(gaussian(6000, 256, 18), picks(400));
    const std::int64_t panel_bytes = 2048 * 256 * static_cast<std::int64_t>(sizeof(float));
    EXPECT_LE(world.traffic().bytes_received - bytes_before, result.rounds * 2 * panel_bytes);
}

// Tight clusters, some of them the same points: here most centres are out of reach of most rows,
// and are left out.
TEST(KCenter, clusters_and_copies_give_the_plain_greedys_picks) {
    for (const float spread : {0.0F, 0.001F, 0.3F}) {
        std::mt19937 generator(19);
        std::normal_distribution<float> normal;
        std::vector<float> centers(40 * 6);
        for (float& value : centers)
            value = normal(generator);
        std::vector<float> features;
        for (int i = 0; i < 2500; ++i) {
            const std::size_t cluster = generator() % 40;
            for (std::size_t k = 0; k < 6; ++k) {
                features.push_back(centers[cluster * 6 + k] + spread * normal(generator));
            }
        }
        const Shortlist list = shortlist_of(6, std::move(features));
        const auto expected = plain_greedy(list, picks(250));
        for (const std::int64_t panel_rows : {24, 200}) {
            expect_same(run(list, picks(250, panel_rows), Split::uneven), expected,
                        "spread " + std::to_string(spread));
        }
    }
}

TEST(EstimateKCenter, bounds_what_a_run_needs) {
    const KCenterOptions options = picks(1000);
    const auto result = run(gaussian(20000, 16, 17), options);
    const auto estimate = estimate_k_center(20000, 16, options);
    EXPECT_GE(estimate.rounds, result.rounds);
    EXPECT_LE(estimate.rounds, 8 * result.rounds);
    EXPECT_GT(estimate.bytes_received_per_rank, 0);
    EXPECT_GT(estimate.memory_bytes, 1000 * 16 * 4);
}

}  // namespace
}  // namespace sluice::select
