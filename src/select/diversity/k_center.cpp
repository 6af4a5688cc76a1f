#include "select/k_center.hpp"

#include "select/diversity/centers.hpp"
#include "select/diversity/distance_gains.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

namespace sluice::select {
namespace {

// The largest product of distance and score^strength, which only falls, as distances do.
DiverseBatch pick_weighted(const ShortlistShare& share, const DiversityOptions& options,
                           comm::Communicator& world) {
    const auto gain = [](double weight, double distance) { return weight * distance; };
    return pick_by_distance(share, options,
                            score_weights(share, options.parameters.strength, "k_center", world),
                            gain, world);
}

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    if (value_or(options.parameters.strength, 0.0) > 0.0)
        return pick_weighted(share, options, world);
    std::vector<float> nearest = nearest_centers(share, options);
    KCenterOptions wanted;
    wanted.num_picks = options.num_picks;
    wanted.first_pick = share.num_centers > 0 ? -1 : best_scored(share, world);
    wanted.backend = options.backend;
    wanted.num_threads = options.num_threads;
    const KCenterResult result =
        k_center({share.rows, share.features, nearest}, wanted, world, options.progress);
    DiverseBatch batch;
    for (const KCenterPick& pick : result.picks)
        batch.picks.push_back({pick.row, distance_of(pick.squared_distance, options.metric)});
    batch.values_cover = true;
    batch.covering_radius = distance_of(result.squared_radius, options.metric);
    batch.rounds = result.rounds;
    batch.rows_refreshed = result.rows_refreshed;
    return batch;
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    KCenterOptions options;
    options.num_picks = sizes.num_picks;
    options.num_threads = sizes.num_threads;
    const KCenterEstimate estimate = estimate_k_center(sizes.shortlist_rows, sizes.dim, options);
    const auto nearest = sizes.share_rows * static_cast<std::int64_t>(sizeof(float));
    return {estimate.memory_bytes + nearest, estimate.rounds, estimate.bytes_received_per_rank};
}

}  // namespace

DiversityDefinition k_center_rule() {
    DiversityDefinition rule;
    rule.name = "k_center";
    rule.aliases = {"kcenter",        "k_center_greedy", "kcenter_greedy", "coreset",
                    "core_set",       "greedy_coreset",  "maxdist",        "max_dist",
                    "farthest_first", "diversity"};
    rule.summary =
        "exact greedy k-center (farthest-first traversal), labeled and pending rows as centres; "
        "distances times score^strength (usually 0)";
    rule.value = "distance to the nearest centre when picked";
    rule.needs_features = true;
    rule.parameters = "strength";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
