#include "select/k_means.hpp"

#include "select/fixed_point.hpp"
#include "select/shared_shortlist.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>

namespace sluice::select {
namespace {

using test::Split;
using test::WholeShortlist;

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Wanted {
    std::int64_t num_clusters = 0;
    std::uint64_t seed = 1;
    bool weighted = false;
    std::vector<float> nearest = {};
};

Clusters cluster(const WholeShortlist& list, const Wanted& wanted, Split split, int threads = 1) {
    const test::Share share = test::share_of(list, split);
    const std::vector<float> nearest =
        wanted.nearest.empty() ? std::vector<float>() : share.part_of(wanted.nearest);
    KMeansOptions options;
    options.num_clusters = wanted.num_clusters;
    options.seed = wanted.seed;
    options.num_threads = threads;
    KMeansShare mine{share.rows, share.view(), {}, nearest};
    if (wanted.weighted) mine.weights = share.scores;
    return k_means(mine, options, test::world());
}

// Clusters of all rows by position, put together from the ranks.
std::vector<std::int32_t> whole_clusters(const WholeShortlist& list, const Clusters& clusters,
                                         Split split) {
    const test::Share share = test::share_of(list, split);
    const auto positions = test::world().all_gather(std::span<const std::int64_t>(share.positions));
    const auto values = test::world().all_gather(std::span<const std::int32_t>(clusters.cluster));
    std::vector<std::int32_t> whole(positions.size());
    for (std::size_t i = 0; i < positions.size(); ++i)
        whole[static_cast<std::size_t>(positions[i])] = values[i];
    return whole;
}

std::vector<RowId> seeds_of(const WholeShortlist& list, const Wanted& wanted) {
    const test::Share share = test::share_of(list, Split::contiguous);
    const std::vector<float> nearest =
        wanted.nearest.empty() ? std::vector<float>() : share.part_of(wanted.nearest);
    KMeansShare mine{share.rows, share.view(), {}, nearest};
    if (wanted.weighted) mine.weights = share.scores;
    return draw_seeds(mine, {wanted.num_clusters, 100, wanted.seed, 1, 1}, test::world());
}

double squared(const float* x, const double* y, std::int64_t dim) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < dim; ++k)
        sum += (x[k] - y[k]) * (x[k] - y[k]);
    return sum;
}

// Lloyd's algorithm in float64 from the same seeds, as it is in books.
struct PlainLloyd {
    std::vector<double> centroids;
    std::vector<std::int32_t> cluster;
    std::vector<double> costs;  // after each assignment
};

PlainLloyd plain_lloyd(const WholeShortlist& list, const std::vector<RowId>& seeds,
                       const Wanted& wanted) {
    PlainLloyd result;
    const std::int64_t dim = list.dim;
    for (const RowId row : seeds) {
        const float* x = list.at(list.position(row));
        result.centroids.insert(result.centroids.end(), x, x + dim);
    }
    for (int iteration = 0; iteration < 100; ++iteration) {
        std::vector<std::int32_t> next;
        std::vector<double> sums(result.centroids.size(), 0.0);
        std::vector<double> weights(seeds.size(), 0.0);
        double cost = 0.0;
        for (std::int64_t i = 0; i < list.size(); ++i) {
            const auto position = static_cast<std::size_t>(i);
            double best = wanted.nearest.empty() ? infinity : wanted.nearest[position];
            std::int32_t number = -1;
            for (std::size_t c = 0; c < seeds.size(); ++c) {
                const double distance = squared(
                    list.at(i), result.centroids.data() + static_cast<std::int64_t>(c) * dim, dim);
                if (distance < best) best = distance, number = static_cast<std::int32_t>(c);
            }
            next.push_back(number);
            const double weight = wanted.weighted ? list.scores[position] : 1.0;
            cost += weight * best;
            if (number < 0) continue;
            weights[static_cast<std::size_t>(number)] += weight;
            for (std::int64_t k = 0; k < dim; ++k)
                sums[static_cast<std::size_t>(number * dim + k)] += weight * list.at(i)[k];
        }
        result.costs.push_back(cost);
        if (next == result.cluster) break;
        result.cluster = next;
        for (std::size_t k = 0; k < sums.size(); ++k) {
            const double weight = weights[k / static_cast<std::size_t>(dim)];
            if (weight > 0.0) result.centroids[k] = sums[k] / weight;
        }
    }
    return result;
}

TEST(KMeans, agrees_with_lloyd_in_float64_on_random_pools) {
    for (unsigned pool = 0; pool < 24; ++pool) {
        SCOPED_TRACE(pool);
        const WholeShortlist list = test::clustered(150 + 10 * pool, 1 + pool % 7, pool);
        Wanted wanted{1 + pool % 9, pool, pool % 2 == 1, {}};
        if (pool % 3 == 2) {  // some centroids do not move
            wanted.nearest.assign(list.scores.size(), std::numeric_limits<float>::infinity());
            kernels::relax_nearest(kernels::Backend::cpu, list.view(), {list.at(3), 4, list.dim},
                                   wanted.nearest, 1);
        }
        const PlainLloyd plain = plain_lloyd(list, seeds_of(list, wanted), wanted);

        const Clusters clusters = cluster(list, wanted, Split::contiguous);

        EXPECT_EQ(whole_clusters(list, clusters, Split::contiguous), plain.cluster);
        ASSERT_EQ(clusters.centroids.size(), plain.centroids.size());
        for (std::size_t k = 0; k < plain.centroids.size(); ++k)
            EXPECT_NEAR(clusters.centroids[k], plain.centroids[k], 2e-5);
        for (std::size_t i = 1; i < plain.costs.size(); ++i)
            EXPECT_LE(plain.costs[i], plain.costs[i - 1] * (1.0 + 1e-12));
    }
}

TEST(KMeans, one_answer_however_rows_are_shared) {
    for (unsigned pool = 0; pool < 12; ++pool) {
        SCOPED_TRACE(pool);
        const WholeShortlist list =
            pool % 2 == 0 ? test::grid(240, 1 + pool % 4, 4, pool) : test::clustered(240, 5, pool);
        const Wanted wanted{12, pool, pool % 3 == 0, {}};
        const Clusters alone = cluster(list, wanted, Split::last_rank);
        for (const Split split : test::all_splits) {
            const Clusters shared = cluster(list, wanted, split, 2);
            EXPECT_EQ(shared.centroids, alone.centroids);
            EXPECT_EQ(shared.sizes, alone.sizes);
            EXPECT_EQ(shared.iterations, alone.iterations);
            EXPECT_EQ(whole_clusters(list, shared, split),
                      whole_clusters(list, alone, Split::last_rank));
        }
    }
}

TEST(KMeans, asks_for_no_more_clusters_than_distinct_rows) {
    const WholeShortlist list = test::grid(60, 2, 2, 5);  // four different rows

    const Clusters clusters = cluster(list, {9}, Split::contiguous);

    EXPECT_EQ(clusters.count(), 4);
    for (const std::int64_t size : clusters.sizes)
        EXPECT_GT(size, 0);
}

TEST(KMeans, rows_without_weight_do_not_pull) {
    WholeShortlist list{1, {0.0F, 2.0F, 100.0F}, {1.0F, 1.0F, 0.0F}};

    const Clusters clusters = cluster(list, {1, 1, true}, Split::contiguous);

    EXPECT_EQ(clusters.centroids, std::vector<float>{1.0F});
    EXPECT_EQ(clusters.sizes, std::vector<std::int64_t>{3});
}

TEST(KMeans, without_any_weight_all_rows_are_alike) {
    WholeShortlist list{1, {0.0F, 2.0F, 4.0F}, {0.0F, 0.0F, 0.0F}};

    const Clusters clusters = cluster(list, {1, 1, true}, Split::contiguous);

    EXPECT_EQ(clusters.centroids, std::vector<float>{2.0F});
}

TEST(KMeans, seeds_are_drawn_by_weight_times_squared_distance) {
    // One centre is at 0; the rows are 1, 2 and 3 from it with weights 4, 1 and 1.
    WholeShortlist list{1, {1.0F, 2.0F, 3.0F}, {4.0F, 1.0F, 1.0F}};
    Wanted wanted{1, 0, true, {1.0F, 4.0F, 9.0F}};
    constexpr int draws = 1000;
    double counts[3] = {};
    for (int draw = 0; draw < draws; ++draw) {
        wanted.seed = static_cast<std::uint64_t>(draw);
        counts[list.position(seeds_of(list, wanted).front())] += 1.0;
    }
    const double expected[3] = {4.0 / 17, 4.0 / 17, 9.0 / 17};
    double chi_squared = 0.0;
    for (int i = 0; i < 3; ++i) {
        const double mean = draws * expected[i];
        chi_squared += (counts[i] - mean) * (counts[i] - mean) / mean;
    }
    EXPECT_LT(chi_squared, 13.8);  // 2 degrees of freedom, 0.1 %
}

TEST(FixedPoint, means_keep_their_bound) {
    const WholeShortlist list = test::clustered(500, 3, 9);
    const test::Share share = test::share_of(list, Split::contiguous);
    const FixedPoint fixed(share.view(), list.size(), test::world());
    const std::vector<std::int64_t> weights = whole_weights(share.scores, test::world());
    std::vector<std::int64_t> sums(4, 0);
    for (std::size_t i = 0; i < weights.size(); ++i) {
        fixed.add(share.view().row(static_cast<std::int64_t>(i)), weights[i], sums.data());
        sums[3] += weights[i];
    }
    test::world().sum(sums);
    float mean[3];
    fixed.mean(sums.data(), sums[3], mean);

    double exact[3] = {};
    double weight = 0.0;
    double largest = 0.0;
    for (std::int64_t i = 0; i < list.size(); ++i) {
        const double own = list.scores[static_cast<std::size_t>(i)];
        weight += own;
        for (int k = 0; k < 3; ++k) {
            exact[k] += own * list.at(i)[k];
            largest = std::max(largest, std::fabs(static_cast<double>(list.at(i)[k])));
        }
    }
    for (int k = 0; k < 3; ++k)
        EXPECT_NEAR(mean[k], exact[k] / weight, largest * 2e-6);
}

}  // namespace
}  // namespace sluice::select
