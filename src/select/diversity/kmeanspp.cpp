#include "select/diversity/centers.hpp"
#include "select/diversity/nearest_spread.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <optional>
#include <utility>

namespace sluice::select {
namespace {

// Picks a row with a probability in proportion to its squared distance to the nearest centre or
// pick (times its weight).
DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 0.0);
    const std::vector<double> weights = score_weights(share, strength, "kmeanspp", world);
    std::vector<float> nearest = nearest_centers(share, options);
    std::optional<NearestSpread> spread;
    world.agree([&] { spread.emplace(share.features, std::move(nearest), options); });
    RaceRounds rounds(share, options, *spread, weights, world);
    if (share.num_centers == 0) {
        const std::vector<std::uint8_t> none(share.rows.size(), 0);
        rounds.pick_first(Race{options.seed, options.round, 0}.winner(share.rows, none, weights));
    }
    return rounds.pick();
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    return RaceRounds::forecast(sizes, sizes.dim);
}

}  // namespace

DiversityDefinition kmeanspp_rule() {
    DiversityDefinition rule;
    rule.name = "kmeanspp";
    rule.aliases = {"kmeans++", "k_means_plus_plus", "d2", "d_squared"};
    rule.summary =
        "k-means++: each row drawn with a probability in proportion to its squared distance to the "
        "nearest centre (exactly), times score^strength (usually 0)";
    rule.value = "distance to the nearest centre when picked";
    rule.needs_features = true;
    rule.parameters = "strength";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
