#include "select/diversity/nearest_state.hpp"
#include "select/diversity/race.hpp"
#include "select/diversity/rules.hpp"

namespace sluice::select {
namespace {

// Picks a row with a probability in proportion to its squared distance to the nearest centre or
// pick (times its weight).
class DSquared {
  public:
    using Value = float;

    DSquared(const ShortlistShare& share, const DiversityOptions& options,
             std::vector<double> weights)
        : state_(share, options), weights_(std::move(weights)), chances_(weights_) {
        if (state_.has_center()) update_chances();
    }

    Gain best(std::int64_t pick) const {
        const Race race{state_.options().seed, state_.options().round, pick};
        return race.winner(state_.share().rows, state_.taken(), chances_);
    }
    std::vector<float> say(std::int64_t local) const {
        std::vector<float> said = state_.say(local);
        said.push_back(state_.distance(static_cast<std::size_t>(local)));
        return said;
    }
    void take(const Gain&, std::int64_t local, std::span<const float> said) {
        distance_ = said.back();
        state_.take(local, said.first(said.size() - 1));
        update_chances();
    }
    float value(const Gain&) const { return distance_; }

  private:
    void update_chances() {
        for (std::size_t i = 0; i < chances_.size(); ++i)
            chances_[i] = static_cast<double>(state_.nearest()[i]) * weights_[i];
    }

    NearestState state_;
    std::vector<double> weights_;
    std::vector<double> chances_;
    float distance_ = 0.0F;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 0.0);
    DSquared objective(share, options, score_weights(share, strength, "kmeanspp", world));
    return pick_by_rows(share, options, objective, world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    return forecast_by_rows(sizes, sizes.dim + 1);
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
