#include "core/error.hpp"
#include "select/plan.hpp"
#include "select/scores/feature_scores.hpp"
#include "select/scores/labeled_matrix.hpp"

#include <limits>

namespace sluice::select {
namespace {

// Noise of a label, relative to what the features of labeled rows are in the mean square.
constexpr double relative_noise = 1e-3;

double noise_of(const Matrix& labeled) {
    if (labeled.rows == 0) return 1.0;
    double squares = 0.0;
    for (const double x : labeled.values)
        squares += x * x;
    const double mean = squares / static_cast<double>(labeled.values.size());
    return mean > 0.0 ? relative_noise * mean : 1.0;
}

/// noise x^T (noise I + X^T X)^-1 x = |z|^2 noise, with L z = x and L the Cholesky factor.
class PosteriorVariance : public FeatureScore {
  public:
    PosteriorVariance(Matrix factor, double noise) : factor_(std::move(factor)), noise_(noise) {}

    void score(kernels::MatrixView features, RowId, std::span<float> scores) const override {
        thread_local std::vector<double> z;
        for (std::int64_t first = 0; first < features.rows; first += lanes) {
            turn_rows(features, first, z);
            double variance[lanes];
            solve(z, variance);
            for (std::int64_t i = first; i < std::min(first + lanes, features.rows); ++i) {
                const std::span row(features.row(i), static_cast<std::size_t>(features.dim));
                scores[static_cast<std::size_t>(i)] = is_usable(row)
                                                          ? static_cast<float>(variance[i - first])
                                                          : std::numeric_limits<float>::quiet_NaN();
            }
        }
    }

  private:
    void solve(std::vector<double>& z, double* variance) const {
        std::fill(variance, variance + lanes, 0.0);
        for (std::int64_t i = 0; i < factor_.rows; ++i) {
            double* own = z.data() + i * lanes;
            for (std::int64_t k = 0; k < i; ++k)
                for (std::int64_t lane = 0; lane < lanes; ++lane)
                    own[lane] -= factor_.row(i)[k] * z[static_cast<std::size_t>(k * lanes + lane)];
            for (std::int64_t lane = 0; lane < lanes; ++lane) {
                own[lane] /= factor_.row(i)[i];
                variance[lane] += own[lane] * own[lane] * noise_;
            }
        }
    }

    Matrix factor_;
    double noise_;
};

std::unique_ptr<FeatureScore> prepare(const ScorePreparation& from) {
    const Matrix labeled = read_labeled_features(from);
    const double noise = noise_of(labeled);
    Matrix precision(labeled.columns, labeled.columns);
    for (std::int64_t row = 0; row < labeled.rows; ++row) {
        const double* x = labeled.row(row);
        for (std::int64_t i = 0; i < labeled.columns; ++i)
            for (std::int64_t k = 0; k <= i; ++k)
                precision.row(i)[k] += x[i] * x[k];
    }
    for (std::int64_t i = 0; i < labeled.columns; ++i)
        precision.row(i)[i] += noise;
    require(factorize(precision), ExitCode::bad_data,
            "--score posterior_variance: the labeled rows' features are of too different sizes to "
            "tell their directions apart in float64; scale the features, e.g. to unit variance");
    return std::make_unique<PosteriorVariance>(std::move(precision), noise);
}

std::int64_t memory(std::int64_t dim, std::int64_t num_labeled) {
    return (num_labeled + dim) * dim * std::int64_t{sizeof(double)};
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
            memory};
}

}  // namespace sluice::select
