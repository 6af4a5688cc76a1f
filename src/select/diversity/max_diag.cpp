#include "select/diversity/covariance.hpp"
#include "select/diversity/leverages.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <cmath>

namespace sluice::select {
namespace {

// The rows that a linear model of the features is least sure of: x' M x, M the covariance after the
// centres alone, so that rows which say the same are picked together.
class MaxDiag {
  public:
    using Value = float;

    MaxDiag(const ShortlistShare& share, std::vector<double> variances)
        : share_(share), variances_(std::move(variances)), taken_(share.rows.size(), 0) {}

    Gain best(std::int64_t) const {
        return best_free(share_.rows, taken_, [&](std::size_t i) { return variances_[i]; });
    }
    std::vector<float> say(std::int64_t) const { return {}; }
    void take(const Gain&, std::int64_t local, std::span<const float>) {
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
    }
    float value(const Gain& pick) const { return static_cast<float>(pick.gain); }

  private:
    const ShortlistShare& share_;
    std::vector<double> variances_;
    std::vector<std::uint8_t> taken_;
};

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    double sigma = options.parameters.sigma;
    if (std::isnan(sigma)) sigma = 0.1 * usual_length(gather_all_rows(share, world), share);
    Covariance covariance(share.features.dim, sigma * sigma);
    look_at_centers(share, covariance);
    MaxDiag objective(share, variances(share.features, covariance, options.num_threads));
    return pick_by_rows(share, options, objective, world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    DiversityForecast forecast = forecast_by_rows(sizes, 0);
    constexpr auto real = static_cast<std::int64_t>(sizeof(double));
    forecast.memory_bytes +=
        all_rows_memory(sizes) + sizes.share_rows * (real + 1) + 2 * sizes.dim * sizes.dim * real;
    forecast.bytes_received +=
        sizes.shortlist_rows * (sizes.dim * static_cast<std::int64_t>(sizeof(float)) + 12);
    return forecast;
}

}  // namespace

/// \source Holzmueller et al., JMLR 24(164), 2023, section 5.1 (MaxDiag; BALD's rows for a
///         Gaussian process), features scaled on the labeled rows, sigma 0.1.
DiversityDefinition max_diag_rule() {
    DiversityDefinition rule;
    rule.name = "max_diag";
    rule.aliases = {"posterior_variance"};
    rule.summary =
        "largest variances x' M x of a linear model, M its covariance after the centres with noise "
        "sigma (as for bait); picks do not see each other: what batches are compared with";
    rule.value = "variance";
    rule.needs_features = true;
    rule.parameters = "sigma";
    rule.pick = pick;
    rule.forecast = forecast;
    return rule;
}

}  // namespace sluice::select
