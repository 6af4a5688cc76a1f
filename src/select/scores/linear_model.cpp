#include "select/scores/linear_model.hpp"

#include "core/error.hpp"

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

}  // namespace

LinearModel fit_linear_model(const ScorePreparation& from, const std::string& score) {
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
            "--score " + score +
                ": the labeled rows' features are of too different sizes to tell their directions "
                "apart in float64; scale the features, e.g. to unit variance");
    return {std::move(precision), noise};
}

std::int64_t linear_model_memory(std::int64_t dim, std::int64_t num_labeled) {
    return (num_labeled + dim) * dim * std::int64_t{sizeof(double)};
}

void solve_lower(const Matrix& factor, double* columns) {
    for (std::int64_t i = 0; i < factor.rows; ++i) {
        double* own = columns + i * lanes;
        for (std::int64_t k = 0; k < i; ++k)
            for (std::int64_t lane = 0; lane < lanes; ++lane)
                own[lane] -= factor.row(i)[k] * columns[k * lanes + lane];
        for (std::int64_t lane = 0; lane < lanes; ++lane)
            own[lane] /= factor.row(i)[i];
    }
}

}  // namespace sluice::select
