#include "select/diversity/covariance.hpp"
#include "select/diversity/determinant_rounds.hpp"
#include "select/diversity/nearest_state.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace sluice::select {
namespace {

DiverseBatch pick(const ShortlistShare& share, const DiversityOptions& options,
                  comm::Communicator& world) {
    const double strength = value_or(options.parameters.strength, 0.0);
    const std::vector<double> qualities = score_weights(share, strength, "maxdet", world);
    const std::int64_t dim = share.features.dim;
    const std::vector<double> lengths = squared_lengths(share.features, options.num_threads);
    const double sigma = noise_of(options.parameters.sigma, lengths, world);
    Covariance covariance(dim, sigma * sigma);
    look_at_centers(share, covariance);
    const std::vector<double> before =
        covariance.is_identity() ? lengths
                                 : variances(share.features, covariance, options.num_threads);
    std::vector<DeterminantRows::Row> rows;
    rows.reserve(lengths.size());
    for (std::size_t i = 0; i < lengths.size(); ++i) {
        rows.push_back(
            {share.rows[i], qualities[i], FallingVariances::state_of(before[i], lengths[i], dim)});
    }
    std::optional<DeterminantRounds> greedy;
    world.agree([&] { greedy.emplace(share, options, std::move(rows), covariance); });
    return greedy->pick(world);
}

DiversityForecast forecast(const DiversitySizes& sizes) {
    constexpr std::int64_t row_bytes = 3 * sizeof(DeterminantRows::Row);
    const std::int64_t panel = std::min(DeterminantRounds::most_panel_rows, sizes.shortlist_rows);
    const std::int64_t look_bytes = sizes.dim * (sizeof(double) + sizeof(float));
    DiversityForecast forecast = forecast_in_rounds(sizes, sizes.dim);
    forecast.memory_bytes += sizes.dim * sizes.dim * 8 + 2 * sizes.num_picks * look_bytes +
                             sizes.share_rows * row_bytes + panel * (sizes.dim * 4 + row_bytes);
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
