#include "select/diversity/covariance.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <cmath>

namespace sluice::select {
namespace {

// Picks the row of the largest variance under a linear model that has looked at all centres and
// picks: the greedy for log det(sigma^2 I + K) of the picks' inner products K. With a strength, of
// features scaled by score^strength (the quality of a determinantal point process).
// Variances only fall from pick to pick, and so do the gains.
class LogDet {
  public:
    using Value = double;

    LogDet(const ShortlistShare& share, const DiversityOptions& options,
           std::vector<double> qualities, double sigma)
        : share_(share),
          options_(options),
          qualities_(std::move(qualities)),
          covariance_(share.features.dim, sigma * sigma),
          packed_(share.features),
          taken_(share.rows.size(), 0),
          along_(share.rows.size()) {
        look_at_centers(share, covariance_);
        variances_ = variances(share.features, covariance_);
    }

    Gain best(std::int64_t) const {
        return best_free(share_.rows, taken_, [&](std::size_t i) {
            return covariance_.squared_sigma() + qualities_[i] * qualities_[i] * variances_[i];
        });
    }

    std::vector<double> say(std::int64_t local) const {
        const float* const row = share_.features.row(local);
        std::vector<double> scaled(row, row + share_.features.dim);
        for (double& value : scaled)
            value *= qualities_[static_cast<std::size_t>(local)];
        return scaled;
    }

    void take(const Gain&, std::int64_t local, std::span<const double> said) {
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
        const Covariance::Look look = covariance_.look_at(said);
        packed_.dot(look.direction, along_, options_.num_threads);
        for (std::size_t i = 0; i < along_.size(); ++i)
            variances_[i] -= along_[i] * along_[i] / look.variance;
    }

    float value(const Gain& pick) const { return static_cast<float>(std::sqrt(pick.gain)); }

  private:
    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<double> qualities_;
    Covariance covariance_;
    PackedDots packed_;
    std::vector<std::uint8_t> taken_;
    std::vector<double> along_;      // [rows] scratch
    std::vector<double> variances_;  // [rows] x' M x, x not scaled
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 0.0);
    std::vector<double> qualities = score_weights(share, strength, "maxdet", world);
    const double sigma = noise_of(options.parameters.sigma, share, world);
    LogDet objective(share, options, std::move(qualities), sigma);
    return pick_by_rows(share, options, objective, world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast = forecast_by_rows(sizes, 2 * sizes.dim);
    forecast.memory_bytes += sizes.share_rows * sizes.dim * 4 + sizes.dim * sizes.dim * 8;
    return forecast;
}

}  // namespace

DiversityDefinition maxdet_rule() {
    DiversityDefinition rule;
    rule.name = "maxdet";
    rule.aliases = {"max_det", "logdet", "log_det", "dpp", "dpp_map"};
    rule.summary =
        "largest determinant (log-det, DPP by greedy MAP): the row of the largest variance given "
        "centres and picks, under a linear model with noise sigma (usually a thousandth of the "
        "longest row), features times score^strength (usually 0)";
    rule.value = "standard deviation given centres and earlier picks";
    rule.needs_features = true;
    rule.parameters = "strength sigma";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
