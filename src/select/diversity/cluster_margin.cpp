#include "select/diversity/all_rows.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::select {
namespace {

// Two clusters become one.
struct Merge {
    double height = 0.0;
    std::int64_t left = 0;   // a row of the one
    std::int64_t right = 0;  // a row of the other
};

// Average linkage by chains of nearest neighbours, in float64 on distances of float32; every rank
// does the same. Takes N^2 floats of memory.
// \source Murtagh 1983, A survey of recent advances in hierarchical clustering algorithms, Comput.
//         J. 26, 354-359; Lance and Williams' update for the average.
class AverageLinkage {
  public:
    explicit AverageLinkage(const AllRows& all)
        : size_(all.rows.size()), distance_(size_ * size_), weight_(size_, 1.0) {
        for (std::size_t i = 0; i < size_; ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                const float squared = kernels::squared_distance(
                    all.view().row(static_cast<std::int64_t>(i)),
                    all.view().row(static_cast<std::int64_t>(j)), all.dim);
                at(i, j) = at(j, i) = std::sqrt(squared);
            }
        }
    }

    // All N - 1 merges by rising height.
    std::vector<Merge> run() {
        std::vector<Merge> merges;
        std::vector<std::size_t> chain;
        for (std::size_t start = 0; merges.size() + 1 < size_;) {
            if (chain.empty()) {
                while (weight_[start] == 0.0)
                    ++start;
                chain.push_back(start);
            }
            const std::size_t top = chain.back();
            const std::size_t before = chain.size() > 1 ? chain[chain.size() - 2] : size_;
            const std::size_t next = nearest(top, before);
            if (next != before) {
                chain.push_back(next);
                continue;
            }
            chain.resize(chain.size() - 2);
            merges.push_back({static_cast<double>(at(top, next)), static_cast<std::int64_t>(top),
                              static_cast<std::int64_t>(next)});
            merge(std::min(top, next), std::max(top, next));
        }
        std::stable_sort(merges.begin(), merges.end(), [](const Merge& left, const Merge& right) {
            return left.height < right.height;
        });
        return merges;
    }

  private:
    float& at(std::size_t i, std::size_t j) { return distance_[i * size_ + j]; }

    // Ties to the one before in the chain, else to the lower.
    std::size_t nearest(std::size_t of, std::size_t preferred) {
        std::size_t best = preferred;
        for (std::size_t j = 0; j < size_; ++j) {
            if (j == of || weight_[j] == 0.0) continue;
            if (best == size_ || at(of, j) < at(of, best)) best = j;
        }
        return best;
    }

    void merge(std::size_t into, std::size_t from) {
        const double total = weight_[into] + weight_[from];
        for (std::size_t j = 0; j < size_; ++j) {
            if (j == into || j == from || weight_[j] == 0.0) continue;
            const double mean = (weight_[into] * static_cast<double>(at(into, j)) +
                                 weight_[from] * static_cast<double>(at(from, j))) /
                                total;
            at(into, j) = at(j, into) = static_cast<float>(mean);
        }
        weight_[into] = total;
        weight_[from] = 0.0;
    }

    std::size_t size_;
    std::vector<float> distance_;  // [N, N]
    std::vector<double> weight_;   // [N] rows of the cluster that goes by this row; 0: merged away
};

// Clusters by lowest row, each with its rows ascending: merges up to `height` apply, or all but
// the last `least_clusters` - 1.
std::vector<std::vector<std::int64_t>> cut(const std::vector<Merge>& merges, std::size_t num_rows,
                                           double height, std::size_t least_clusters) {
    std::vector<std::size_t> parent(num_rows);
    std::iota(parent.begin(), parent.end(), std::size_t{0});
    const auto root = [&](std::size_t i) {
        while (parent[i] != i)
            i = parent[i] = parent[parent[i]];
        return i;
    };
    std::size_t left = num_rows;
    for (const Merge& merge : merges) {
        if (std::isnan(height) ? left <= least_clusters : merge.height > height) break;
        const std::size_t a = root(static_cast<std::size_t>(merge.left));
        const std::size_t b = root(static_cast<std::size_t>(merge.right));
        parent[std::max(a, b)] = std::min(a, b);
        --left;
    }
    std::vector<std::vector<std::int64_t>> of_root(num_rows);
    for (std::size_t i = 0; i < num_rows; ++i)
        of_root[root(i)].push_back(static_cast<std::int64_t>(i));
    std::erase_if(of_root, [](const auto& rows) { return rows.empty(); });
    return of_root;
}

// Round robin over clusters from the smallest to the largest, the best-scored row of each first.
DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const AllRows all = gather_all_rows(share, world);
    const std::int64_t num_picks = std::clamp<std::int64_t>(options.num_picks, 0, all.size());
    DiverseBatch batch;
    if (num_picks == 0) return batch;
    const double wanted = options.parameters.radius;
    const double height = options.metric == Metric::cosine ? std::sqrt(2.0 * wanted) : wanted;
    std::vector<std::vector<std::int64_t>> clusters = cut(
        AverageLinkage(all).run(), all.rows.size(), height, static_cast<std::size_t>(num_picks));
    std::stable_sort(clusters.begin(), clusters.end(), [](const auto& left, const auto& right) {
        return left.size() < right.size();
    });
    for (std::vector<std::int64_t>& rows : clusters) {
        std::stable_sort(rows.begin(), rows.end(), [&](std::int64_t left, std::int64_t right) {
            return all.scores[static_cast<std::size_t>(left)] >
                   all.scores[static_cast<std::size_t>(right)];
        });
    }
    for (std::size_t turn = 0; std::ssize(batch.picks) < num_picks; ++turn) {
        for (const std::vector<std::int64_t>& rows : clusters) {
            if (turn >= rows.size() || std::ssize(batch.picks) == num_picks) continue;
            batch.picks.push_back(
                {all.rows[static_cast<std::size_t>(rows[turn])], static_cast<float>(rows.size())});
        }
    }
    batch.rounds = 1;
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast;
    forecast.memory_bytes =
        all_rows_memory(sizes) + sizes.shortlist_rows * (sizes.shortlist_rows * 4 + 96);
    forecast.rounds = 1;
    forecast.bytes_received = sizes.shortlist_rows * (sizes.dim * 4 + 12);
    return forecast;
}

}  // namespace

DiversityDefinition cluster_margin_rule() {
    DiversityDefinition rule;
    rule.name = "cluster_margin";
    rule.aliases = {"clustermargin", "hac"};
    rule.summary =
        "Cluster-Margin: average-linkage clusters of the shortlist, cut at --radius (auto: as many "
        "as picks); in turn from the smallest, the best-scored row of each; no centres";
    rule.value = "rows in its cluster";
    rule.needs_features = true;
    rule.parameters = "radius";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
