#include "kernels/worker_pool.hpp"
#include "select/diversity/all_rows.hpp"
#include "select/diversity/k_means.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::select {
namespace {

constexpr std::int64_t most_clusters = 500;
constexpr std::int64_t most_neighbors = 20;
constexpr std::int64_t least_rows = 6;  // smaller clusters come last

std::int64_t num_clusters(std::int64_t num_picks, std::int64_t num_centers) {
    return std::min(num_picks + num_centers, most_clusters);
}

// The whole shortlist's rows with what each rank found out about its own.
struct Typical {
    RowId row = 0;
    std::int64_t cluster = 0;
    double typicality = 0.0;
};

// 1 / mean distance to the nearest rows of the same cluster, at most 20 and half of the cluster.
double typicality(const float* features, std::int64_t self, std::span<const std::int64_t> others,
                  const AllRows& all) {
    std::vector<float> squared;
    for (const std::int64_t other : others) {
        if (other == self) continue;
        squared.push_back(kernels::squared_distance(features, all.view().row(other), all.dim));
    }
    const std::int64_t wanted = std::clamp<std::int64_t>(std::ssize(others) / 2, 1, most_neighbors);
    const auto count = std::min(static_cast<std::size_t>(wanted), squared.size());
    std::sort(squared.begin(), squared.end());
    double sum = 0.0;
    for (std::size_t i = 0; i < count; ++i)
        sum += std::sqrt(static_cast<double>(squared[i]));
    return 1.0 / (sum / std::max(1.0, static_cast<double>(count)) + 1e-5);
}

// What every rank knows of all rows, ascending. \collective
std::vector<Typical> look_at_rows(const ShortlistShare& share, const Clusters& clusters,
                                  int num_threads, comm::Communicator& world) {
    const AllRows all = gather_all_rows(share, world);
    std::vector<Typical> mine(share.rows.size());
    for (std::size_t i = 0; i < mine.size(); ++i)
        mine[i] = {share.rows[i], clusters.cluster[i], 0.0};
    const std::vector<Typical> assigned = world.all_gather(std::span<const Typical>(mine));
    std::vector<std::vector<std::int64_t>> of_cluster(static_cast<std::size_t>(clusters.count));
    for (const Typical& one : assigned)
        of_cluster[static_cast<std::size_t>(one.cluster)].push_back(all.find(one.row));
    kernels::parallel_for(num_threads, std::ssize(mine), [&](std::int64_t i) {
        Typical& one = mine[static_cast<std::size_t>(i)];
        one.typicality = typicality(share.features.row(i), all.find(one.row),
                                    of_cluster[static_cast<std::size_t>(one.cluster)], all);
    });
    std::vector<Typical> result = world.all_gather(std::span<const Typical>(mine));
    std::sort(result.begin(), result.end(),
              [](const Typical& left, const Typical& right) { return left.row < right.row; });
    return result;
}

// How many centres are nearest to each centroid. \collective
std::vector<std::int64_t> count_centers(const ShortlistShare& share, const Clusters& clusters) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(clusters.count), 0);
    if (share.num_centers == 0) return counts;
    share.visit_centers([&](kernels::MatrixView centers) {
        std::vector<std::int64_t> all(static_cast<std::size_t>(centers.rows));
        std::iota(all.begin(), all.end(), std::int64_t{0});
        std::vector<float> squared(all.size(), std::numeric_limits<float>::infinity());
        std::vector<std::int32_t> nearest(all.size(), -1);
        kernels::relax_nearest_of(kernels::Backend::cpu, centers, all,
                                  {clusters.centroids.data(), clusters.count, centers.dim},
                                  {squared, nearest, 0}, 1);
        for (const std::int32_t cluster : nearest)
            ++counts[static_cast<std::size_t>(cluster)];
    });
    return counts;
}

// Picks one after the other; every rank does the same.
std::vector<DiversePick> pick_typical(std::span<const Typical> rows,
                                      std::vector<std::int64_t> covered, std::int64_t num_picks) {
    std::vector<std::vector<Typical>> members(covered.size());
    for (const Typical& one : rows)
        members[static_cast<std::size_t>(one.cluster)].push_back(one);
    std::vector<std::int64_t> sizes;
    for (std::vector<Typical>& of_cluster : members) {
        sizes.push_back(std::ssize(of_cluster));
        // The most typical last; of equals the lower row.
        std::sort(
            of_cluster.begin(), of_cluster.end(), [](const Typical& left, const Typical& right) {
                return left.typicality != right.typicality ? left.typicality < right.typicality
                                                           : left.row > right.row;
            });
    }
    const auto comes_first = [&](std::size_t left, std::size_t right) {
        if (members[left].empty() != members[right].empty()) return members[right].empty();
        const bool is_small = sizes[left] < least_rows;
        if (is_small != (sizes[right] < least_rows)) return !is_small;
        if (covered[left] != covered[right]) return covered[left] < covered[right];
        return sizes[left] > sizes[right];
    };
    std::vector<DiversePick> picks;
    while (std::ssize(picks) < num_picks) {
        std::size_t best = 0;
        for (std::size_t c = 1; c < members.size(); ++c)
            if (comes_first(c, best)) best = c;
        const Typical& one = members[best].back();
        picks.push_back({one.row, static_cast<float>(one.typicality)});
        members[best].pop_back();
        ++covered[best];
    }
    return picks;
}

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const std::int64_t num_rows = world.sum(std::ssize(share.rows));
    const std::int64_t num_picks = std::clamp<std::int64_t>(options.num_picks, 0, num_rows);
    DiverseBatch batch;
    if (num_picks == 0) return batch;
    const std::vector<double> weights(share.rows.size(), 1.0);
    const std::int64_t wanted = num_clusters(num_picks, share.num_centers);
    const Clusters clusters = find_clusters(share, options, wanted, weights, world);
    batch.picks = pick_typical(look_at_rows(share, clusters, options.num_threads, world),
                               count_centers(share, clusters), num_picks);
    batch.rounds = wanted + clusters.rounds;
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast =
        forecast_clusters(sizes, num_clusters(sizes.num_picks, sizes.num_centers));
    forecast.memory_bytes += all_rows_memory(sizes) + sizes.shortlist_rows * 96;
    forecast.bytes_received += sizes.shortlist_rows * (sizes.dim * 4 + 60);
    return forecast;
}

}  // namespace

DiversityDefinition typiclust_rule() {
    DiversityDefinition rule;
    rule.name = "typiclust";
    rule.aliases = {"typicality", "typi_clust"};
    rule.summary =
        "TypiClust: clusters of the shortlist (picks + centres of them, at most 500); of those "
        "with "
        "the fewest centres and picks the largest gives its most typical row, by its 20 nearest";
    rule.value = "typicality: 1 / mean distance to the nearest rows of its cluster";
    rule.needs_features = true;
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
