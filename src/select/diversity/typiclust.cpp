#include "core/partition.hpp"
#include "kernels/worker_pool.hpp"
#include "select/diversity/clusters.hpp"
#include "select/diversity/rules.hpp"
#include "select/diversity/shared_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

constexpr std::int64_t most_neighbors = 20;
constexpr std::int64_t small_cluster = 5;
constexpr std::int64_t packed_rows = 512;  // of so many the features stay in cache
constexpr float infinity = std::numeric_limits<float>::infinity();

// The rows of one cluster that are not picked yet, on every rank.
class Cluster {
  public:
    Cluster(const ShortlistShare& share, const Clusters& clusters, std::int32_t number,
            comm::Communicator& world)
        : dim_(share.features.dim) {
        std::vector<RowId> mine;
        for (std::size_t i = 0; i < share.rows.size(); ++i) {
            if (clusters.cluster[i] == number) mine.push_back(share.rows[i]);
        }
        rows_ = world.all_gather(std::span<const RowId>(mine));
        std::sort(rows_.begin(), rows_.end());
        features_ = gather_rows(share.rows, share.features, rows_, world);
    }

    // Takes the most typical row out. Each rank looks at its part of the rows.
    DiversePick take(int num_threads, comm::Communicator& world) {
        const RowRange own = part_of_rows(size(), world.rank(), world.size());
        std::vector<double> means(static_cast<std::size_t>(own.size()));
        const std::vector<kernels::PackedRows> panels = packed();
        kernels::parallel_for(num_threads, own.size(), [&](std::int64_t task) {
            means[static_cast<std::size_t>(task)] = mean_distance(own.begin + task, panels);
        });
        Gain best;
        for (std::int64_t i = own.begin; i < own.end; ++i) {
            const Gain candidate{-means[static_cast<std::size_t>(i - own.begin)],
                                 rows_[static_cast<std::size_t>(i)]};
            if (beats(candidate, best)) best = candidate;
        }
        best = best_of_ranks(best, world);
        remove(std::lower_bound(rows_.begin(), rows_.end(), best.row) - rows_.begin());
        return {best.row, static_cast<float>(-best.gain)};
    }

  private:
    std::int64_t size() const { return static_cast<std::int64_t>(rows_.size()); }
    kernels::MatrixView view() const { return {features_.data(), size(), dim_}; }

    std::vector<kernels::PackedRows> packed() const {
        std::vector<kernels::PackedRows> panels;
        for (std::int64_t begin = 0; begin < size(); begin += packed_rows) {
            std::vector<std::int64_t> some(
                static_cast<std::size_t>(std::min(packed_rows, size() - begin)));
            std::iota(some.begin(), some.end(), begin);
            panels.emplace_back(view(), some);
        }
        return panels;
    }

    // To the nearest other rows, summed from the nearest on.
    double mean_distance(std::int64_t i, const std::vector<kernels::PackedRows>& panels) const {
        const std::int64_t count =
            std::min({most_neighbors, std::max<std::int64_t>(1, size() / 2), size() - 1});
        if (count == 0) return 0.0;
        std::vector<float> squared(static_cast<std::size_t>(size()), infinity);
        for (std::size_t p = 0; p < panels.size(); ++p) {
            const auto begin = static_cast<std::int64_t>(p) * packed_rows;
            const auto length = static_cast<std::size_t>(std::min(packed_rows, size() - begin));
            panels[p].relax(
                view().row(i),
                {std::span(squared).subspan(static_cast<std::size_t>(begin), length), {}, 0});
        }
        squared[static_cast<std::size_t>(i)] = infinity;
        std::partial_sort(squared.begin(), squared.begin() + count, squared.end());
        double sum = 0.0;
        for (std::int64_t n = 0; n < count; ++n)
            sum += static_cast<double>(std::sqrt(squared[static_cast<std::size_t>(n)]));
        return sum / static_cast<double>(count);
    }

    void remove(std::int64_t position) {
        rows_.erase(rows_.begin() + position);
        const auto begin = features_.begin() + position * dim_;
        features_.erase(begin, begin + dim_);
    }

    std::int64_t dim_;
    std::vector<RowId> rows_;
    std::vector<float> features_;
};

// How many labeled rows are nearest to each centroid. \collective
std::vector<std::int64_t> count_labeled(const ShortlistShare& share, const Clusters& clusters,
                                        const DiversityOptions& options) {
    std::vector<std::int64_t> counts(static_cast<std::size_t>(clusters.count()), 0);
    const auto count = [&](kernels::MatrixView rows) {
        std::vector<std::int64_t> all(static_cast<std::size_t>(rows.rows));
        std::iota(all.begin(), all.end(), std::int64_t{0});
        std::vector<float> squared(all.size(), infinity);
        std::vector<std::int32_t> number(all.size(), -1);
        kernels::relax_nearest_of(options.backend, rows, all,
                                  {clusters.centroids.data(), clusters.count(), rows.dim},
                                  {squared, number, 0}, options.num_threads);
        for (const std::int32_t cluster : number)
            ++counts[static_cast<std::size_t>(cluster)];
    };
    if (share.num_centers > 0 && clusters.count() > 0) share.visit_centers(count);
    return counts;
}

// Which cluster gives each pick: those in the order given in turn while they have rows, the large
// ones before the small ones.
std::vector<std::int32_t> turns(const std::vector<std::int32_t>& order,
                                std::vector<std::int64_t> sizes, std::int64_t num_picks) {
    std::vector<std::int32_t> result;
    const std::vector<std::int64_t> at_first = sizes;
    for (const bool small : {false, true}) {
        bool any = true;
        while (any) {
            any = false;
            for (const std::int32_t cluster : order) {
                const auto c = static_cast<std::size_t>(cluster);
                if (sizes[c] == 0 || (at_first[c] <= small_cluster) != small) continue;
                if (static_cast<std::int64_t>(result.size()) == num_picks) return result;
                --sizes[c];
                result.push_back(cluster);
                any = true;
            }
        }
    }
    return result;
}

// The clusters with the fewest labeled rows first, of those the largest.
std::vector<std::int32_t> order_of(const Clusters& clusters,
                                   const std::vector<std::int64_t>& labeled) {
    std::vector<std::int32_t> order(static_cast<std::size_t>(clusters.count()));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) {
        const auto left = static_cast<std::size_t>(a);
        const auto right = static_cast<std::size_t>(b);
        return labeled[left] < labeled[right] ||
               (labeled[left] == labeled[right] && clusters.sizes[left] > clusters.sizes[right]);
    });
    return order;
}

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const Clusters clusters = cluster_alike(
        share, options, num_typical_clusters(share.num_centers, options.num_picks), world);
    const auto order = order_of(clusters, count_labeled(share, clusters, options));
    const std::vector<std::int32_t> givers = turns(order, clusters.sizes, options.num_picks);
    DiverseBatch batch;
    batch.picks.resize(givers.size());
    for (const std::int32_t number : order) {  // a cluster is in memory for all its picks
        if (std::find(givers.begin(), givers.end(), number) == givers.end()) continue;
        Cluster cluster(share, clusters, number, world);
        for (std::size_t i = 0; i < givers.size(); ++i) {
            if (givers[i] == number) batch.picks[i] = cluster.take(options.num_threads, world);
        }
    }
    batch.rounds = clusters.seed_rounds + clusters.iterations + std::ssize(batch.picks);
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast =
        forecast_k_means(sizes, num_typical_clusters(sizes.num_centers, sizes.num_picks));
    // The largest cluster is on every rank, in panels too. How large it is the data decide: at most
    // all rows, but rarely more than a few times the mean.
    const std::int64_t row = sizes.dim * static_cast<std::int64_t>(sizeof(float));
    forecast.memory_bytes += 3 * sizes.shortlist_rows * row;
    forecast.rounds += sizes.num_picks;
    forecast.bytes_received += sizes.shortlist_rows * row;
    return forecast;
}

}  // namespace

// Of each cluster in turn the most typical row: that with the least mean distance to its 20 (or
// half the cluster, if that is less) nearest rows of the cluster that are not picked yet. Clusters
// of at most 5 rows come last, where the authors' program leaves them out and fails if no other is
// left. Labeled rows count where their nearest centroid is, and do not move it. \source Hacohen,
// Dekel and Weinshall, "Active Learning on a Budget", ICML 2022, section 3; the
//         authors' program for the neighbours of small clusters.
DiversityDefinition typiclust_rule() {
    DiversityDefinition rule;
    rule.name = "typiclust";
    rule.aliases = {"typi_clust", "typical_clustering", "tpcrp"};
    rule.summary =
        "the most typical row of each of min(labeled + batch, 500) k-means clusters, those with "
        "the fewest labeled rows first, of those the largest";
    rule.value = "mean distance to its nearest rows of the cluster";
    rule.needs_features = true;
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
