#include "core/error.hpp"
#include "select/scores/feature_scores.hpp"
#include "select/scores/linear_model.hpp"
#include "select/scores/pool_sample.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

// Multiplications that all rows' scores may take: some minutes on one core.
constexpr double most_work = 0x1p40;

/// With z = L^-1 x and S = (1/U) sum over u of (L^-1 u)(L^-1 u)^T, the label of x lowers the mean
/// variance over u by noise z^T S z / (1 + |z|^2): the update of the precision by one row.
///
class ExpectedErrorReduction : public FeatureScore {
  public:
    ExpectedErrorReduction(Matrix factor, Matrix spread)
        : factor_(std::move(factor)), spread_(std::move(spread)) {}

    void score(kernels::MatrixView features, RowId, std::span<float> scores) const override {
        thread_local std::vector<double> z;
        for (std::int64_t first = 0; first < features.rows; first += lanes) {
            turn_rows(features, first, z);
            solve_lower(factor_, z.data());
            double reduction[lanes] = {};
            reduce(z.data(), reduction);
            for (std::int64_t i = first; i < std::min(first + lanes, features.rows); ++i) {
                const std::span row(features.row(i), static_cast<std::size_t>(features.dim));
                scores[static_cast<std::size_t>(i)] = is_usable(row)
                                                          ? static_cast<float>(reduction[i - first])
                                                          : std::numeric_limits<float>::quiet_NaN();
            }
        }
    }

  private:
    void reduce(const double* z, double* reduction) const {
        double known[lanes];
        std::fill(known, known + lanes, 1.0);
        for (std::int64_t i = 0; i < spread_.rows; ++i) {
            double sum[lanes] = {};
            for (std::int64_t k = 0; k < spread_.columns; ++k)
                for (std::int64_t lane = 0; lane < lanes; ++lane)
                    sum[lane] += spread_.row(i)[k] * z[k * lanes + lane];
            for (std::int64_t lane = 0; lane < lanes; ++lane) {
                reduction[lane] += sum[lane] * z[i * lanes + lane];
                known[lane] += z[i * lanes + lane] * z[i * lanes + lane];
            }
        }
        for (std::int64_t lane = 0; lane < lanes; ++lane)
            reduction[lane] = std::max(reduction[lane], 0.0) / known[lane];
    }

    Matrix factor_;
    Matrix spread_;  // noise S
};

// Mean of the outer products of L^-1 u over the sample, times the noise.
Matrix spread_of(const PoolSample& sample, const LinearModel& model) {
    const std::int64_t dim = model.factor.rows;
    const std::int64_t count = std::ssize(sample.rows);
    Matrix spread(dim, dim);
    std::vector<double> z;
    for (std::int64_t first = 0; first < count; first += lanes) {
        turn_rows({sample.features.data(), count, dim}, first, z);
        solve_lower(model.factor, z.data());
        for (std::int64_t lane = 0; lane < std::min(lanes, count - first); ++lane)
            for (std::int64_t i = 0; i < dim; ++i)
                for (std::int64_t k = 0; k < dim; ++k)
                    spread.row(i)[k] += z[static_cast<std::size_t>(i * lanes + lane)] *
                                        z[static_cast<std::size_t>(k * lanes + lane)];
    }
    for (double& value : spread.values)
        value *= model.noise / static_cast<double>(std::max<std::int64_t>(count, 1));
    return spread;
}

void check_work(const ScorePreparation& from) {
    const auto dim = static_cast<double>(from.features.dim());
    const double work = dim * dim *
                        (1.5 * static_cast<double>(from.features.num_rows()) / from.world.size() +
                         static_cast<double>(sample_rows));
    require(work <= most_work, ExitCode::usage,
            fmt::format("--score expected_error_reduction: {:.2g} multiplications on each rank for "
                        "{} rows of {} features, more than {:.2g}; use more ranks, fewer features "
                        "or posterior_variance",
                        work, from.features.num_rows(), from.features.dim(), most_work));
}

std::unique_ptr<FeatureScore> prepare(const ScorePreparation& from) {
    from.world.agree([&] { check_work(from); });
    LinearModel model = fit_linear_model(from, "expected_error_reduction");
    Matrix spread = spread_of(read_pool_sample(from), model);
    return std::make_unique<ExpectedErrorReduction>(std::move(model.factor), std::move(spread));
}

ScoreForecast forecast(const ScoreSizes& sizes) {
    const std::int64_t dim = sizes.dim;
    return {.memory_bytes = linear_model_memory(dim, sizes.num_labeled) +
                            dim * dim * std::int64_t{sizeof(double)} +
                            2 * sample_rows * dim * std::int64_t{sizeof(float)}};
}

}  // namespace

// \source Cohn, Ghahramani and Jordan, "Active Learning with Statistical Models", JAIR 4 (1996),
//         for a linear model; expected error reduction (Roy and McCallum, ICML 2001) of its squared
//         error, which does not depend on the labels' values.
FeatureScoreDefinition expected_error_reduction() {
    return {"expected_error_reduction",
            {"eer", "alc", "expected_variance_reduction"},
            "by how much the row's label lowers a linear model's expected squared error over 4,096 "
            "sampled rows (all of a smaller pool); >= 0",
            prepare,
            forecast};
}

}  // namespace sluice::select
