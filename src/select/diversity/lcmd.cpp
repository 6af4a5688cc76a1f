#include "select/diversity/centers.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::select {
namespace {

// Largest cluster, maximum distance: every row belongs to its nearest centre or pick (ties to the
// earlier one); of the cluster with the largest sum of squared distances the farthest row is
// picked. Not in rounds, as the rules are whose gains only fall: sums of clusters do fall, but the
// cluster of the last pick begins with rows of any other, and how heavy it is no bound of theirs
// tells. Which cluster is the heaviest takes the true distances of all rows to that pick, so sums
// and distances are exact at every pick. Sums cross ranks, as whole numbers: squared distances are
// cut to multiples of a power of two that the largest of them and the number of rows determine.
class LargestCluster {
  public:
    using Value = float;

    LargestCluster(const ShortlistShare& share, const DiversityOptions& options,
                   comm::Communicator& world)
        : share_(share), options_(options), world_(world), taken_(share.rows.size(), 0) {
        nearest_ = nearest_centers(share, options, &cluster_);
        std::iota(all_.begin(), all_.end(), std::int64_t{0});
        number_clusters();
        set_scale();
    }

    Gain best(std::int64_t) const {
        if (num_clusters_ == 0) {
            return best_free(share_.rows, taken_,
                             [&](std::size_t i) { return static_cast<double>(share_.scores[i]); });
        }
        std::vector<std::int64_t> sums = sums_of_clusters();
        const auto heaviest = std::max_element(sums.begin(), sums.end()) - sums.begin();
        return best_free(share_.rows, taken_, [&](std::size_t i) {
            // Rows of other clusters come after, should all of the heaviest be taken.
            return cluster_[i] == heaviest ? static_cast<double>(nearest_[i])
                                           : static_cast<double>(nearest_[i]) - far_;
        });
    }

    std::vector<float> say(std::int64_t local) const {
        const float* const row = share_.features.row(local);
        std::vector<float> said(row, row + share_.features.dim);
        said.push_back(distance_of(nearest_[static_cast<std::size_t>(local)], options_.metric));
        return said;
    }

    void take(const Gain&, std::int64_t local, std::span<const float> said) {
        value_ = said.back();
        kernels::relax_nearest_of(kernels::Backend::cpu, share_.features, all_,
                                  {said.data(), 1, share_.features.dim},
                                  {nearest_, cluster_, num_clusters_}, options_.num_threads);
        if (local >= 0) {
            taken_[static_cast<std::size_t>(local)] = 1;
            cluster_[static_cast<std::size_t>(local)] = num_clusters_;
        }
        ++num_clusters_;
        if (num_clusters_ == 1) set_scale();
    }

    float value(const Gain&) const { return value_; }

  private:
    // Centres without a row of the shortlist count for nothing: the others are numbered anew, in
    // their order.
    void number_clusters() {
        std::vector<std::int32_t> used(cluster_);
        std::sort(used.begin(), used.end());
        used.erase(std::unique(used.begin(), used.end()), used.end());
        used = world_.all_gather(std::span<const std::int32_t>(used));
        std::sort(used.begin(), used.end());
        used.erase(std::unique(used.begin(), used.end()), used.end());
        if (share_.num_centers == 0) return;
        for (std::int32_t& cluster : cluster_) {
            cluster = static_cast<std::int32_t>(
                std::lower_bound(used.begin(), used.end(), cluster) - used.begin());
        }
        num_clusters_ = static_cast<std::int32_t>(used.size());
    }

    // The sum of all rows' distances stays below 2^62.
    void set_scale() {
        double largest = 0.0;
        for (const float squared : nearest_)
            if (std::isfinite(squared)) largest = std::max(largest, static_cast<double>(squared));
        largest = world_.max(largest);
        far_ = 2.0 * largest + 1.0;
        const auto num_rows =
            static_cast<double>(world_.sum(static_cast<std::int64_t>(nearest_.size())));
        scale_ = largest > 0.0 ? 61 - std::ilogb(largest) - 1 - std::ilogb(num_rows) - 1 : 0;
    }

    // \collective
    std::vector<std::int64_t> sums_of_clusters() const {
        std::vector<std::int64_t> sums(static_cast<std::size_t>(num_clusters_), 0);
        for (std::size_t i = 0; i < nearest_.size(); ++i) {
            if (taken_[i] != 0) continue;
            sums[static_cast<std::size_t>(cluster_[i])] +=
                static_cast<std::int64_t>(std::ldexp(static_cast<double>(nearest_[i]), scale_));
        }
        world_.sum(sums);
        return sums;
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    comm::Communicator& world_;
    std::vector<std::uint8_t> taken_;
    std::vector<std::int64_t> all_ = std::vector<std::int64_t>(taken_.size());
    std::vector<float> nearest_;         // [rows] squared
    std::vector<std::int32_t> cluster_;  // [rows]
    std::int32_t num_clusters_ = 0;
    int scale_ = 0;
    double far_ = 1.0;
    float value_ = 0.0F;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    LargestCluster objective(share, options, world);
    return pick_by_rows(share, options, objective, world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast = forecast_by_rows(sizes, sizes.dim + 1);
    const std::int64_t sums =
        8 * std::min(sizes.shortlist_rows, sizes.num_centers + sizes.num_picks);
    forecast.memory_bytes += 2 * sums;
    forecast.bytes_received += sizes.num_picks * sums;
    return forecast;
}

}  // namespace

DiversityDefinition lcmd_rule() {
    DiversityDefinition rule;
    rule.name = "lcmd";
    rule.aliases = {"largest_cluster", "largest_cluster_max_dist", "lcmd_tp"};
    rule.summary =
        "LCMD: the farthest row of the cluster with the largest sum of squared distances, clusters "
        "around centres and picks";
    rule.value = "distance to the nearest centre when picked";
    rule.needs_features = true;
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
