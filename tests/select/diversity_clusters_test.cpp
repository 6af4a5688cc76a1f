/// The rules that cluster, against plain float64 versions.

#include "diversity_lists.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sluice::select {
namespace {

using test::List;
using test::make_list;
using test::options_of;
using test::Places;
using test::squared;

// Clouds far apart: cloud c has sizes[c] rows about 100 c on the first axis.
List clouds(const std::vector<std::int64_t>& sizes, unsigned seed) {
    std::int64_t count = 0;
    for (const std::int64_t size : sizes)
        count += size;
    List list = make_list(count, 3, seed, 0, 0);
    std::int64_t place = 0;
    for (std::size_t c = 0; c < sizes.size(); ++c) {
        for (std::int64_t i = 0; i < sizes[c]; ++i, ++place)
            list.features[static_cast<std::size_t>(3 * place)] += 100.0F * static_cast<float>(c);
    }
    return list;
}

std::size_t cloud_of(const List& list, std::int64_t place) {
    return static_cast<std::size_t>(std::lround(list.at(place)[0] / 100.0F));
}

TEST(DiversityClusters, kmeans_takes_the_rows_nearest_to_weighted_means) {
    int num_plain = 0;
    for (unsigned seed = 0; seed < test::num_pools; ++seed) {
        const List list = clouds({9, 30, 14, 21}, seed);
        const double strength = seed % 2 == 0 ? 1.0 : 0.0;
        std::set<std::int64_t> expected;
        for (std::size_t cloud = 0; cloud < 4; ++cloud) {
            double mean[3] = {};
            double total = 0.0;
            for (std::int64_t i = 0; i < list.size(); ++i) {
                if (cloud_of(list, i) != cloud) continue;
                const double weight =
                    std::pow(double{list.scores[static_cast<std::size_t>(i)]}, strength);
                total += weight;
                for (int k = 0; k < 3; ++k)
                    mean[k] += weight * double{list.at(i)[k]};
            }
            const float centroid[3] = {static_cast<float>(mean[0] / total),
                                       static_cast<float>(mean[1] / total),
                                       static_cast<float>(mean[2] / total)};
            std::int64_t best = 0;
            for (std::int64_t i = 0; i < list.size(); ++i) {
                if (squared(list.at(i), centroid, 3) < squared(list.at(best), centroid, 3))
                    best = i;
            }
            expected.insert(best);
        }
        const DiverseBatch batch =
            test::pick(list, "kmeans", options_of(4, {strength, NAN, NAN}), sluice::test::world());
        std::set<std::int64_t> picked;
        std::set<std::size_t> of_clouds;
        for (const DiversePick& pick : batch.picks) {
            picked.insert(List::place(pick.row));
            of_clouds.insert(cloud_of(list, List::place(pick.row)));
        }
        // Lloyd's algorithm may end with two clusters in one cloud: then there is no plain answer.
        if (of_clouds.size() == 4) {
            ++num_plain;
            EXPECT_EQ(picked, expected) << seed;
        }
    }
    EXPECT_GT(num_plain, 15);
}

TEST(DiversityClusters, kmeans_fills_up_where_copies_leave_clusters_empty) {
    List list = make_list(40, 2, 3, 2, 0);  // 4 different points
    const DiverseBatch batch = test::pick(list, "kmeans", options_of(10), sluice::test::world());
    std::set<RowId> rows;
    for (const DiversePick& pick : batch.picks) {
        rows.insert(pick.row);
        EXPECT_LT(pick.value, 1e-3F);
    }
    EXPECT_EQ(rows.size(), 10U);
}

// 1 / mean distance to the nearest half of the cloud, at most 20.
double typicality(const List& list, std::int64_t place) {
    std::vector<double> distances;
    std::int64_t size = 0;
    for (std::int64_t i = 0; i < list.size(); ++i) {
        if (cloud_of(list, i) != cloud_of(list, place)) continue;
        ++size;
        if (i != place) distances.push_back(std::sqrt(squared(list.at(i), list.at(place), 3)));
    }
    std::sort(distances.begin(), distances.end());
    const auto count = static_cast<std::size_t>(std::min<std::int64_t>(20, size / 2));
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i)
        sum += distances[i];
    return 1.0 / (sum / static_cast<double>(count) + 1e-5);
}

TEST(DiversityClusters, typiclust_takes_the_most_typical_of_the_largest_uncovered_clusters) {
    for (unsigned seed = 0; seed < test::num_pools; ++seed) {
        List list = clouds({12, 60, 33, 4}, 40 + seed);
        list.centers = {100.0F, 0.0F, 0.0F};  // the largest cloud has a label
        const DiverseBatch batch =
            test::pick(list, "typiclust", options_of(3), sluice::test::world());
        std::vector<std::size_t> order;
        for (const DiversePick& pick : batch.picks) {
            const std::int64_t place = List::place(pick.row);
            order.push_back(cloud_of(list, place));
            EXPECT_NEAR(double{pick.value}, typicality(list, place), 1e-3);
            for (std::int64_t i = 0; i < list.size(); ++i) {
                const bool is_same = cloud_of(list, i) == cloud_of(list, place);
                const bool is_taken = i != place && order.size() > 2;
                if (is_same && !is_taken) {
                    EXPECT_LE(typicality(list, i), double{pick.value} + 1e-5) << seed;
                }
            }
        }
        // 4 rows are too few for a typical one: the labeled cloud gets the third pick.
        EXPECT_EQ(order, (std::vector<std::size_t>{2, 0, 1})) << seed;
    }
}

// Average linkage by its definition: the two clusters of the least mean distance become one.
std::vector<Places> linked(const List& list, std::size_t wanted, double height) {
    std::vector<Places> clusters;
    for (std::int64_t i = 0; i < list.size(); ++i)
        clusters.push_back({i});
    while (clusters.size() > 1 && (std::isnan(height) ? clusters.size() > wanted : true)) {
        double least = std::numeric_limits<double>::infinity();
        std::size_t left = 0;
        std::size_t right = 0;
        for (std::size_t a = 0; a < clusters.size(); ++a) {
            for (std::size_t b = a + 1; b < clusters.size(); ++b) {
                double sum = 0.0;
                for (const std::int64_t i : clusters[a]) {
                    for (const std::int64_t j : clusters[b])
                        sum += std::sqrt(squared(list.at(i), list.at(j), list.dim));
                }
                sum /= static_cast<double>(clusters[a].size() * clusters[b].size());
                if (sum >= least) continue;
                least = sum;
                left = a;
                right = b;
            }
        }
        if (least > height) break;
        clusters[left].insert(clusters[left].end(), clusters[right].begin(), clusters[right].end());
        clusters.erase(clusters.begin() + static_cast<long>(right));
    }
    for (Places& cluster : clusters)
        std::sort(cluster.begin(), cluster.end());
    std::sort(clusters.begin(), clusters.end());
    return clusters;
}

TEST(DiversityClusters, cluster_margin_goes_round_average_linkage_clusters) {
    for (unsigned seed = 0; seed < test::num_pools; ++seed) {
        const List list = make_list(30 + seed, 2 + seed % 4, 80 + seed, 0, seed % 2);
        const double height = seed % 2 == 0 ? NAN : 1.4;
        std::vector<Places> clusters = linked(list, 12, height);
        std::stable_sort(clusters.begin(), clusters.end(), [](const auto& one, const auto& other) {
            return one.size() < other.size();
        });
        for (Places& cluster : clusters) {
            std::sort(cluster.begin(), cluster.end(), [&](std::int64_t one, std::int64_t other) {
                return list.scores[static_cast<std::size_t>(one)] >
                       list.scores[static_cast<std::size_t>(other)];
            });
        }
        Places expected;
        for (std::size_t turn = 0; expected.size() < 12; ++turn) {
            for (const Places& cluster : clusters) {
                if (turn < cluster.size() && expected.size() < 12)
                    expected.push_back(cluster[turn]);
            }
        }
        const DiverseBatch batch = test::pick(
            list, "cluster_margin", options_of(12, {NAN, NAN, height}), sluice::test::world());
        Places picked;
        for (const DiversePick& pick : batch.picks)
            picked.push_back(List::place(pick.row));
        EXPECT_EQ(picked, expected) << seed;
    }
}

}  // namespace
}  // namespace sluice::select
