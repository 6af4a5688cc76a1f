#include "select/diversity/nearest_state.hpp"

#include "core/text.hpp"
#include "select/diversity/centers.hpp"
#include "select/score_expression.hpp"

#include <cmath>

namespace sluice::select {

NearestState::NearestState(const ShortlistShare& share, const DiversityOptions& options)
    : share_(share),
      options_(options),
      nearest_(nearest_centers(share, options)),
      taken_(share.rows.size(), 0),
      has_center_(share.num_centers > 0) {}

Gain NearestState::best_scored() const {
    return best_free(share_.rows, taken_,
                     [&](std::size_t i) { return static_cast<double>(share_.scores[i]); });
}

std::vector<float> NearestState::say(std::int64_t local) const {
    const float* const features = share_.features.row(local);
    return {features, features + share_.features.dim};
}

void NearestState::take(std::int64_t local, std::span<const float> features) {
    if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
    has_center_ = true;
    if (nearest_.empty()) return;
    kernels::relax_nearest(options_.backend, share_.features,
                           {features.data(), 1, share_.features.dim}, nearest_,
                           options_.num_threads);
}

void NearestState::restart(std::vector<float> nearest) {
    nearest_ = std::move(nearest);
    taken_.assign(taken_.size(), 0);
    has_center_ = share_.num_centers > 0;
}

std::vector<double> score_weights(const ShortlistShare& share, double strength,
                                  const std::string& rule, comm::Communicator& world) {
    std::vector<double> weights(share.rows.size(), 1.0);
    if (strength == 0.0) return weights;
    world.agree([&] {
        for (std::size_t i = 0; i < weights.size(); ++i) {
            require(share.scores[i] >= 0.0F, ExitCode::usage,
                    "--diversify " + rule + ": row " + std::to_string(share.rows[i]) +
                        " has a score of " + number_text(share.scores[i]) +
                        ", and scores that weigh must be >= 0; choose another --score or pass "
                        "--strength 0");
            weights[i] = power_of(static_cast<double>(share.scores[i]), strength);
        }
    });
    return weights;
}

double value_or(double wanted, double usual) {
    return std::isnan(wanted) ? usual : wanted;
}

DiversityForecast forecast_by_rows(const DiversitySizes& sizes, std::int64_t floats_of_pick) {
    const std::int64_t row_bytes = floats_of_pick * static_cast<std::int64_t>(sizeof(float));
    // Distances, weights, marks; what each rank says of a pick.
    return {sizes.share_rows * 40 + 4 * row_bytes, sizes.num_picks, sizes.num_picks * row_bytes};
}

}  // namespace sluice::select
