#include "core/error.hpp"
#include "select/k_means.hpp"
#include "select/run_rule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

namespace sluice::select {
namespace {

using test::RuleRequest;
using test::Split;
using test::WholeShortlist;

constexpr double infinity = std::numeric_limits<double>::infinity();

double distance(const float* x, const float* y, std::int64_t dim) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < dim; ++k)
        sum += (static_cast<double>(x[k]) - y[k]) * (static_cast<double>(x[k]) - y[k]);
    return std::sqrt(sum);
}

// The clusters that a rule gets, and which of them each row of the whole list is in.
struct WholeClusters {
    Clusters clusters;
    std::vector<std::vector<std::int64_t>> members;  // positions, ascending
    std::int64_t count() const { return clusters.count(); }
};

WholeClusters cluster_all(const WholeShortlist& list, std::int64_t num_clusters,
                          std::span<const float> weights, std::span<const float> nearest) {
    const test::Share share = test::share_of(list, Split::last_rank);
    KMeansOptions options;
    options.num_clusters = num_clusters;
    options.seed = 1;
    const bool is_mine = !share.rows.empty();
    WholeClusters whole;
    whole.clusters =
        k_means({share.rows, share.view(), is_mine ? weights : std::span<const float>(),
                 is_mine ? nearest : std::span<const float>()},
                options, test::world());
    const auto numbers =
        test::world().all_gather(std::span<const std::int32_t>(whole.clusters.cluster));
    whole.members.resize(static_cast<std::size_t>(whole.count()));
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        if (numbers[i] >= 0)
            whole.members[static_cast<std::size_t>(numbers[i])].push_back(
                static_cast<std::int64_t>(i));
    }
    return whole;
}

std::vector<float> some_centers(const WholeShortlist& list, std::int64_t count) {
    return {list.features.begin(), list.features.begin() + count * list.dim};
}

TEST(ClusterRules, keep_what_every_rule_promises) {
    for (const std::string rule : {"kmeans", "typiclust", "cluster_margin"}) {
        for (unsigned pool = 0; pool < 4; ++pool) {
            SCOPED_TRACE(rule + ", pool " + std::to_string(pool));
            const WholeShortlist list =
                pool % 2 == 0 ? test::clustered(120, 4, pool) : test::grid(120, 2, 3, pool);
            RuleRequest request{rule, pool < 2 ? 15 : 60};
            if (pool > 0) request.centers = some_centers(list, 5);
            test::expect_contract(list, request);
        }
    }
}

TEST(ClusterRules, batch_is_full_however_few_distinct_rows_there_are) {
    for (const std::string rule : {"kmeans", "typiclust", "cluster_margin"}) {
        SCOPED_TRACE(rule);
        const WholeShortlist copies = test::grid(30, 2, 1, 3);  // one row thirty times
        RuleRequest request{rule, 12};
        test::expect_contract(copies, request);
        request.centers = some_centers(copies, 1);
        test::expect_contract(copies, request);
        request.num_picks = 100;  // more than there are
        test::expect_contract(copies, request);
    }
}

TEST(KMeansRule, picks_the_row_nearest_to_each_centroid_heaviest_cluster_first) {
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        const WholeShortlist list = test::clustered(100 + pool, 1 + pool % 5, pool);
        RuleRequest request{"kmeans", 10};
        std::vector<float> nearest(list.scores.size(), std::numeric_limits<float>::infinity());
        if (pool % 2 == 1) {
            request.centers = some_centers(list, 3);
            for (std::int64_t i = 0; i < list.size(); ++i) {
                for (std::int64_t c = 0; c < 3; ++c) {
                    float& own = nearest[static_cast<std::size_t>(i)];
                    own =
                        std::min(own, kernels::squared_distance(list.at(i), list.at(c), list.dim));
                }
            }
        }
        const WholeClusters whole = cluster_all(list, 10, list.scores, nearest);
        std::multimap<double, std::int64_t, std::greater<>> expected;  // by weight
        for (std::int64_t c = 0; c < whole.count(); ++c) {
            double weight = 0.0;
            double least = infinity;
            std::int64_t best = -1;
            for (const std::int64_t i : whole.members[static_cast<std::size_t>(c)]) {
                weight += list.scores[static_cast<std::size_t>(i)];
                const double from =
                    distance(list.at(i), whole.clusters.centroids.data() + c * list.dim, list.dim);
                if (from < least) least = from, best = i;
            }
            if (best >= 0) expected.emplace(weight, list.row(best));
        }
        std::vector<RowId> rows;
        for (const auto& [weight, row] : expected)
            rows.push_back(row);

        const DiverseBatch batch = test::run_rule(list, request, Split::contiguous);

        ASSERT_GE(batch.picks.size(), rows.size());
        const std::vector<RowId> picked = test::rows_of(batch);
        EXPECT_EQ(std::vector<RowId>(picked.begin(), picked.begin() + std::ssize(rows)), rows);
    }
}

TEST(KMeansRule, a_score_below_zero_is_no_weight) {
    WholeShortlist list = test::clustered(20, 2, 1);
    list.scores[3] = -0.5F;
    RuleRequest request{"kmeans", 3};

    EXPECT_THROW(test::run_rule(list, request, Split::contiguous), Error);

    request.parameters.strength = 0.0;  // the scores do not count
    EXPECT_EQ(test::run_rule(list, request, Split::contiguous).picks.size(), 3U);
}

// TypiClust in float64, as the authors' program has it, but small clusters last.
std::vector<RowId> plain_typi_clust(const WholeShortlist& list, const RuleRequest& request) {
    const std::int64_t num_centers = std::ssize(request.centers) / list.dim;
    const WholeClusters whole =
        cluster_all(list, std::min<std::int64_t>(num_centers + request.num_picks, 500), {}, {});
    std::vector<std::int64_t> labeled(whole.members.size(), 0);
    for (std::int64_t i = 0; i < num_centers; ++i) {
        double least = infinity;
        std::size_t nearest = 0;
        for (std::int64_t c = 0; c < whole.count(); ++c) {
            const double from = distance(request.centers.data() + i * list.dim,
                                         whole.clusters.centroids.data() + c * list.dim, list.dim);
            if (from < least) least = from, nearest = static_cast<std::size_t>(c);
        }
        ++labeled[nearest];
    }
    std::vector<std::size_t> order(whole.members.size());
    for (std::size_t c = 0; c < order.size(); ++c)
        order[c] = c;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        const bool small_a = whole.members[a].size() <= 5;
        const bool small_b = whole.members[b].size() <= 5;
        return std::make_tuple(small_a, labeled[a], -std::ssize(whole.members[a])) <
               std::make_tuple(small_b, labeled[b], -std::ssize(whole.members[b]));
    });
    auto left = whole.members;
    std::vector<RowId> picks;
    for (const bool small : {false, true}) {
        for (bool any = true; any;) {
            any = false;
            for (const std::size_t c : order) {
                std::vector<std::int64_t>& rows = left[c];
                if (rows.empty() || (whole.members[c].size() <= 5) != small) continue;
                if (std::ssize(picks) == request.num_picks) return picks;
                const auto neighbors = std::min<std::size_t>(
                    rows.size() - 1,
                    std::max<std::size_t>(1, std::min<std::size_t>(20, rows.size() / 2)));
                double least = infinity;
                std::size_t best = 0;
                for (std::size_t i = 0; i < rows.size(); ++i) {
                    std::vector<double> far;
                    for (std::size_t j = 0; j < rows.size(); ++j) {
                        if (j != i)
                            far.push_back(distance(list.at(rows[i]), list.at(rows[j]), list.dim));
                    }
                    std::sort(far.begin(), far.end());
                    double mean = 0.0;
                    for (std::size_t n = 0; n < neighbors; ++n)
                        mean += far[n] / static_cast<double>(neighbors);
                    if (mean < least - 1e-6) least = mean, best = i;
                }
                picks.push_back(list.row(rows[best]));
                rows.erase(rows.begin() + static_cast<std::int64_t>(best));
                any = true;
            }
        }
    }
    return picks;
}

TEST(TypiClust, agrees_with_float64_on_random_pools) {
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        const WholeShortlist list = test::clustered(90 + 5 * pool, 1 + pool % 5, pool + 100);
        RuleRequest request{"typiclust", 1 + 3 * pool};
        if (pool % 2 == 1) request.centers = some_centers(list, pool / 2 + 1);

        const DiverseBatch batch = test::run_rule(list, request, Split::interleaved);

        EXPECT_EQ(test::rows_of(batch), plain_typi_clust(list, request));
    }
}

TEST(TypiClust, uncovered_clusters_come_first) {
    // Two far groups of 8 and 6; the larger one is labeled.
    WholeShortlist list{1, {}, {}};
    for (int i = 0; i < 14; ++i) {
        list.features.push_back(i < 8 ? 0.1F * static_cast<float>(i)
                                      : 100.0F + 0.1F * static_cast<float>(i));
        list.scores.push_back(1.0F);
    }
    RuleRequest request{"typiclust", 1, {0.3F}};

    const DiverseBatch batch = test::run_rule(list, request, Split::contiguous);

    EXPECT_GE(list.position(batch.picks.front().row), 8);
}

TEST(ClusterMargin, takes_turns_smallest_cluster_first) {
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        const WholeShortlist list = test::clustered(80 + pool, 1 + pool % 5, pool + 200);
        const RuleRequest request{"cluster_margin", 9 + pool};
        WholeClusters whole = cluster_all(list, (request.num_picks + 1) / 2, {}, {});
        std::sort(whole.members.begin(), whole.members.end(), [](const auto& a, const auto& b) {
            return std::make_pair(a.size(), a.empty() ? 0 : a.front()) <
                   std::make_pair(b.size(), b.empty() ? 0 : b.front());
        });
        std::vector<RowId> expected;
        while (std::ssize(expected) < request.num_picks) {
            for (auto& rows : whole.members) {
                if (rows.empty() || std::ssize(expected) == request.num_picks) continue;
                const auto best =
                    std::max_element(rows.begin(), rows.end(), [&](std::int64_t a, std::int64_t b) {
                        return list.scores[static_cast<std::size_t>(a)] <
                               list.scores[static_cast<std::size_t>(b)];
                    });
                expected.push_back(list.row(*best));
                rows.erase(best);
            }
        }

        const DiverseBatch batch = test::run_rule(list, request, Split::contiguous);

        EXPECT_EQ(test::rows_of(batch), expected);
    }
}

}  // namespace
}  // namespace sluice::select
