#include "select/k_center.hpp"

#include "select/diversity/centers.hpp"
#include "select/diversity/rules.hpp"

namespace sluice::select {
namespace {

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
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
        "exact greedy k-center (farthest-first traversal), labeled and pending rows as centres";
    rule.value = "distance to the nearest centre when picked";
    rule.needs_features = true;
    rule.values_cover = true;
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
