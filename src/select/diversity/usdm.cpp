#include "select/diversity/distance_gains.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

namespace sluice::select {
namespace {

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 1.0);
    // At 0 the order of scores, without bound the order of distances; in between the gains only
    // fall, as distances do.
    const auto gain = [strength](double score, double distance) {
        return score + strength * distance;
    };
    return pick_by_distance(share, options, {share.scores.begin(), share.scores.end()}, gain,
                            world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    return forecast_in_rounds(sizes, sizes.dim);
}

}  // namespace

DiversityDefinition usdm_rule() {
    DiversityDefinition rule;
    rule.name = "usdm";
    rule.aliases = {"uncertainty_diversity", "score_plus_distance"};
    rule.summary =
        "the largest score + strength x distance to the nearest centre or pick (usually 1; 0 = by "
        "score, 1e30 = by distance)";
    rule.value = "distance to the nearest centre when picked";
    rule.needs_features = true;
    rule.parameters = "strength";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
