#include "select/diversity/covariance.hpp"
#include "select/diversity/falling_variances.hpp"
#include "select/diversity/greedy_rounds.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

namespace sluice::select {
namespace {

// Picks the row of the largest variance under a linear model that has looked at all centres and
// picks: the greedy for log det(sigma^2 I + K) of the picks' inner products K. With a strength, of
// features scaled by score^strength (the quality of a determinantal point process).
// Variances only fall from pick to pick, to the bit, and so do the gains.
class LogDet {
  public:
    struct State {
        double quality = 0.0;
        double variance = 0.0;  // x' M x, x not scaled
    };

    LogDet(const ShortlistShare& share, const DiversityOptions& options,
           std::vector<double> qualities, Covariance& covariance)
        : share_(share),
          options_(options),
          qualities_(std::move(qualities)),
          covariance_(covariance),
          variances_(share.features, variances(share.features, covariance, options.num_threads),
                     options.num_threads, on_device(share, options)) {}

    double gain(std::int64_t local) const { return gain_of(state(local)); }
    bool is_fresh(std::int64_t local) const { return variances_.is_fresh(local); }
    void refresh(std::span<const std::int64_t> locals) { variances_.refresh(locals); }
    State state(std::int64_t local) const {
        return {qualities_[static_cast<std::size_t>(local)], variances_.of(local)};
    }
    void set_state(std::int64_t local, const State& state) {
        variances_.set(local, state.variance);
    }
    std::int64_t width() const { return share_.features.dim; }
    void tell(std::int64_t local, float* to) const {
        std::copy_n(share_.features.row(local), width(), to);
    }

    class Panel {
      public:
        Panel(LogDet& all, std::span<const float> told, std::span<const State> states)
            : all_(all),
              told_(told),
              states_(states.begin(), states.end()),
              packed_({told.data(), std::ssize(states), all.width()}),
              along_(states.size()) {}

        double gain(std::int64_t i) const { return all_.gain_of(state(i)); }
        float value(std::int64_t i) const { return static_cast<float>(std::sqrt(gain(i))); }
        State state(std::int64_t i) const { return states_[static_cast<std::size_t>(i)]; }

        void take(std::int64_t i) {
            const auto width = static_cast<std::size_t>(all_.width());
            std::vector<double> scaled =
                widened(told_.subspan(static_cast<std::size_t>(i) * width, width));
            for (double& value : scaled)
                value *= state(i).quality;
            const Covariance::Look look = all_.covariance_.look_at(scaled);
            all_.variances_.add_look(look.direction, look.variance);
            packed_.dot(look.direction, along_, all_.options_.num_threads);
            for (std::size_t j = 0; j < along_.size(); ++j)
                states_[j].variance -= along_[j] * along_[j] / look.variance;
        }

      private:
        LogDet& all_;
        std::span<const float> told_;
        std::vector<State> states_;
        PackedDots packed_;
        std::vector<double> along_;
    };

  private:
    // Null on the CPU, or where the device has no memory for the rows.
    static std::unique_ptr<kernels::DeviceVariances> on_device(const ShortlistShare& share,
                                                               const DiversityOptions& options) {
        if (options.backend == kernels::Backend::cpu || share.rows.empty()) return nullptr;
        return kernels::make_device_variances(share.features);
    }

    double gain_of(const State& state) const {
        return covariance_.squared_sigma() + state.quality * state.quality * state.variance;
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    std::vector<double> qualities_;
    Covariance& covariance_;
    FallingVariances variances_;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 0.0);
    std::vector<double> qualities = score_weights(share, strength, "maxdet", world);
    const double sigma = noise_of(options.parameters.sigma, share, world);
    Covariance covariance(share.features.dim, sigma * sigma);
    look_at_centers(share, covariance);
    std::optional<LogDet> objective;
    world.agree([&] { objective.emplace(share, options, std::move(qualities), covariance); });
    return GreedyRounds(share, options, *objective, world).pick();
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast = forecast_in_rounds(sizes, sizes.dim);
    forecast.memory_bytes += sizes.dim * (sizes.dim + 2 * sizes.num_picks) * 8;
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
