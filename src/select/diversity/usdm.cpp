#include "select/diversity/by_distance.hpp"
#include "select/diversity/rules.hpp"

namespace sluice::select {
namespace {

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 1.0);
    // At 0 the order of scores, without bound the order of distances; in between the gains only
    // fall, as distances do.
    const auto gain = [&](std::size_t i, double distance) {
        return static_cast<double>(share.scores[i]) + strength * distance;
    };
    ByDistance objective(share, options, gain);
    return pick_by_rows(share, options, objective, world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    return forecast_by_rows(sizes, sizes.dim + 1);
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
