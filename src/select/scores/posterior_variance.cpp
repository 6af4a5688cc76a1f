#include "select/scores/feature_scores.hpp"
#include "select/scores/linear_model.hpp"

#include <limits>

namespace sluice::select {
namespace {

/// noise x^T (noise I + X^T X)^-1 x = |z|^2 noise, with L z = x and L the Cholesky factor.
class PosteriorVariance : public FeatureScore {
  public:
    PosteriorVariance(Matrix factor, double noise) : factor_(std::move(factor)), noise_(noise) {}

    void score(kernels::MatrixView features, RowId, std::span<float> scores) const override {
        thread_local std::vector<double> z;
        for (std::int64_t first = 0; first < features.rows; first += lanes) {
            turn_rows(features, first, z);
            solve_lower(factor_, z.data());
            double variance[lanes] = {};
            for (std::int64_t k = 0; k < factor_.rows; ++k)
                for (std::int64_t lane = 0; lane < lanes; ++lane)
                    variance[lane] += noise_ * z[static_cast<std::size_t>(k * lanes + lane)] *
                                      z[static_cast<std::size_t>(k * lanes + lane)];
            for (std::int64_t i = first; i < std::min(first + lanes, features.rows); ++i) {
                const std::span row(features.row(i), static_cast<std::size_t>(features.dim));
                scores[static_cast<std::size_t>(i)] = is_usable(row)
                                                          ? static_cast<float>(variance[i - first])
                                                          : std::numeric_limits<float>::quiet_NaN();
            }
        }
    }

  private:
    Matrix factor_;
    double noise_;
};

std::unique_ptr<FeatureScore> prepare(const ScorePreparation& from) {
    LinearModel model = fit_linear_model(from, "posterior_variance");
    return std::make_unique<PosteriorVariance>(std::move(model.factor), model.noise);
}

ScoreForecast forecast(const ScoreSizes& sizes) {
    return {.memory_bytes = linear_model_memory(sizes.dim, sizes.num_labeled)};
}

}  // namespace

// \source Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, equation 2.9,
//         for unit prior variance of the weights.
FeatureScoreDefinition posterior_variance() {
    return {"posterior_variance",
            {"maxdiag", "gp_variance"},
            "variance that a linear model of the labeled and issued rows leaves at the features; "
            "0 to |x|^2",
            prepare,
            forecast};
}

}  // namespace sluice::select
