#include "select/diversity/k_means.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>

namespace sluice::select {
namespace {

// Of each cluster the row nearest to its centroid, clusters in the order of k-means++; where copies
// leave fewer clusters with rows than picks, the best-scored rows that are left fill up.
std::vector<DiversePick> nearest_to_centroids(const ShortlistShare& share, const Clusters& clusters,
                                              comm::Communicator& world) {
    std::vector<Gain> nearest(static_cast<std::size_t>(clusters.count));
    for (std::size_t i = 0; i < share.rows.size(); ++i) {
        Gain& best = nearest[static_cast<std::size_t>(clusters.cluster[i])];
        const Gain one{-static_cast<double>(clusters.squared[i]), share.rows[i]};
        if (beats(one, best)) best = one;
    }
    const std::vector<Gain> of_ranks = world.all_gather(std::span<const Gain>(nearest));
    std::vector<DiversePick> picks;
    for (std::size_t c = 0; c < nearest.size(); ++c) {
        Gain best;
        for (std::size_t at = c; at < of_ranks.size(); at += nearest.size())
            if (beats(of_ranks[at], best)) best = of_ranks[at];
        if (best.row >= 0) picks.push_back({best.row, static_cast<float>(-best.gain)});
    }
    return picks;
}

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 1.0);
    const std::vector<double> weights = score_weights(share, strength, "kmeans", world);
    const std::int64_t num_rows = world.sum(std::ssize(share.rows));
    const std::int64_t num_picks = std::clamp<std::int64_t>(options.num_picks, 0, num_rows);
    DiverseBatch batch;
    if (num_picks == 0) return batch;
    const Clusters clusters = find_clusters(share, options, num_picks, weights, world);
    batch.rounds = clusters.rounds + num_picks;
    batch.picks = nearest_to_centroids(share, clusters, world);
    std::vector<std::uint8_t> taken(share.rows.size(), 0);
    for (const DiversePick& pick : batch.picks) {
        const auto found = std::lower_bound(share.rows.begin(), share.rows.end(), pick.row);
        if (found != share.rows.end() && *found == pick.row)
            taken[static_cast<std::size_t>(found - share.rows.begin())] = 1;
    }
    while (std::ssize(batch.picks) < num_picks) {
        const Gain best = best_of_ranks(
            best_free(share.rows, taken,
                      [&](std::size_t i) { return static_cast<double>(share.scores[i]); }),
            world);
        const auto found = std::lower_bound(share.rows.begin(), share.rows.end(), best.row);
        float squared = 0.0F;  // of its owner; the largest of all ranks
        if (found != share.rows.end() && *found == best.row) {
            taken[static_cast<std::size_t>(found - share.rows.begin())] = 1;
            squared = clusters.squared[static_cast<std::size_t>(found - share.rows.begin())];
        }
        squared = static_cast<float>(world.max(static_cast<double>(squared)));
        batch.picks.push_back({best.row, squared});
    }
    for (DiversePick& pick : batch.picks)
        pick.value = distance_of(pick.value, options.metric);
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    return forecast_clusters(sizes, sizes.num_picks);
}

}  // namespace

DiversityDefinition kmeans_rule() {
    DiversityDefinition rule;
    rule.name = "kmeans";
    rule.aliases = {"k_means", "embedding_kmeans", "weighted_kmeans", "cluster"};
    rule.summary =
        "k-means with as many clusters as picks, rows weighted by score^strength (usually 1); the "
        "row nearest to each centroid; no centres";
    rule.value = "distance to the centroid";
    rule.needs_features = true;
    rule.parameters = "strength";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
