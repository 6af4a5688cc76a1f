// Nearest rows within clusters, told from rank to rank in steps, against every distance in float64.
#include "select/scores/cluster_neighbors.hpp"

#include "shared_shortlist.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

using test::Split;
using test::WholeShortlist;

struct Clustered {
    WholeShortlist list;
    std::vector<std::int32_t> cluster;
    std::vector<std::uint8_t> is_counted;
};

// Clusters of very different sizes; one row in seven is no neighbour.
Clustered made(WholeShortlist list, const std::vector<std::int64_t>& sizes) {
    Clustered all{std::move(list), {}, {}};
    for (std::size_t c = 0; c < sizes.size(); ++c)
        all.cluster.insert(all.cluster.end(), static_cast<std::size_t>(sizes[c]),
                           static_cast<std::int32_t>(c));
    for (std::int64_t i = 0; i < all.list.size(); ++i)
        all.is_counted.push_back(i % 7 == 3 ? 0 : 1);
    std::shuffle(all.cluster.begin(), all.cluster.end(), std::mt19937(3));
    return all;
}

double mean_by_hand(const Clustered& all, std::int64_t row, std::size_t num_neighbors) {
    const WholeShortlist& list = all.list;
    std::vector<double> distances;
    for (std::int64_t other = 0; other < list.size(); ++other) {
        const auto o = static_cast<std::size_t>(other);
        if (other == row || all.is_counted[o] == 0 ||
            all.cluster[o] != all.cluster[static_cast<std::size_t>(row)])
            continue;
        double squares = 0.0;
        for (std::int64_t k = 0; k < list.dim; ++k) {
            const double difference = static_cast<double>(list.at(row)[k]) - list.at(other)[k];
            squares += difference * difference;
        }
        distances.push_back(std::sqrt(squares));
    }
    if (distances.empty()) return std::numeric_limits<double>::infinity();
    std::sort(distances.begin(), distances.end());
    distances.resize(std::min(distances.size(), num_neighbors));
    double sum = 0.0;
    for (const double distance : distances)
        sum += distance;
    return sum / static_cast<double>(distances.size());
}

std::vector<double> searched(const Clustered& all, Split split, int num_threads) {
    const test::Share share = test::share_of(all.list, split);
    const auto cluster = share.part_of(all.cluster);
    const auto is_counted = share.part_of(all.is_counted);
    return mean_neighbor_distances({share.view(), cluster, is_counted}, 20, num_threads,
                                   test::world());
}

// Of the whole list, as one rank with all rows finds them.
std::vector<double> searched_by_one(const Clustered& all) {
    const std::vector<double> mine = searched(all, Split::last_rank, 1);
    return test::world().all_gather(std::span<const double>(mine));
}

void expect_same_for_any_split(const Clustered& all) {
    const std::vector<double> whole = searched_by_one(all);
    ASSERT_EQ(std::ssize(whole), all.list.size());
    for (const Split split : test::all_splits) {
        const auto positions = test::share_of(all.list, split).positions;
        const std::vector<double> mine = searched(all, split, 2);
        ASSERT_EQ(mine.size(), positions.size());
        for (std::size_t i = 0; i < mine.size(); ++i)
            EXPECT_EQ(mine[i], whole[static_cast<std::size_t>(positions[i])]) << positions[i];
    }
}

void expect_those_by_hand(const Clustered& all, std::int64_t stride) {
    const std::vector<double> whole = searched_by_one(all);
    for (std::int64_t row = 0; row < all.list.size(); row += stride) {
        const double expected = mean_by_hand(all, row, 20);
        const double got = whole[static_cast<std::size_t>(row)];
        if (std::isinf(expected))
            EXPECT_EQ(got, expected) << row;
        else
            EXPECT_NEAR(got, expected, 1e-6 * expected) << row;
    }
}

TEST(ClusterNeighbors, are_the_nearest_whatever_the_clusters_sizes) {
    const Clustered all =
        made(test::clustered(1500, 7, 1), {1, 1, 2, 5, 20, 21, 22, 100, 600, 728});
    expect_those_by_hand(all, 1);
    expect_same_for_any_split(all);
}

TEST(ClusterNeighbors, copies_are_neighbours_at_no_distance) {
    const Clustered all = made(test::grid(700, 2, 3, 5), {350, 340, 10});
    expect_those_by_hand(all, 1);
    expect_same_for_any_split(all);
}

TEST(ClusterNeighbors, are_told_in_more_than_one_step) {
    const Clustered all = made(test::clustered(9500, 2, 2), {9000, 480, 20});
    expect_those_by_hand(all, 37);
    expect_same_for_any_split(all);
}

TEST(ClusterNeighbors, of_no_rows_at_all) {
    const Clustered none = made({3, {}, {}}, {});
    EXPECT_TRUE(searched(none, Split::contiguous, 2).empty());
}

}  // namespace
}  // namespace sluice::select
