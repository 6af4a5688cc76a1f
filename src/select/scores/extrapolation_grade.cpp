#include "core/error.hpp"
#include "select/scores/feature_scores.hpp"
#include "select/scores/labeled_matrix.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

constexpr double close_to_singular = 1e-10;  // of the largest feature
constexpr double volume_gain = 1.001;        // a swap that gains less is not worth it
constexpr std::int64_t most_swaps_of_column = 100;

// Rows that span all features, by elimination with the largest remaining row as pivot (ties: the
// first). Throws if there are none.
std::vector<std::int64_t> spanning_rows(Matrix left) {
    double largest = 0.0;
    for (const double value : left.values)
        largest = std::max(largest, std::abs(value));
    std::vector<std::int64_t> chosen;
    std::vector<char> is_chosen(static_cast<std::size_t>(left.rows), 0);
    for (std::int64_t j = 0; j < left.columns; ++j) {
        std::int64_t pivot = -1;
        for (std::int64_t i = 0; i < left.rows; ++i) {
            if (is_chosen[static_cast<std::size_t>(i)] != 0) continue;
            if (pivot < 0 || std::abs(left.row(i)[j]) > std::abs(left.row(pivot)[j])) pivot = i;
        }
        require(pivot >= 0 && std::abs(left.row(pivot)[j]) > close_to_singular * largest,
                ExitCode::bad_data,
                fmt::format("--score extrapolation_grade: the {} labeled and issued rows do not "
                            "span the {} features; label more and different rows, drop features "
                            "that depend on others, or use posterior_variance",
                            left.rows, left.columns));
        is_chosen[static_cast<std::size_t>(pivot)] = 1;
        chosen.push_back(pivot);
        for (std::int64_t i = 0; i < left.rows; ++i) {
            if (is_chosen[static_cast<std::size_t>(i)] != 0) continue;
            const double factor = left.row(i)[j] / left.row(pivot)[j];
            for (std::int64_t k = j; k < left.columns; ++k)
                left.row(i)[k] -= factor * left.row(pivot)[k];
        }
    }
    return chosen;
}

Matrix rows_of(const Matrix& all, const std::vector<std::int64_t>& chosen) {
    Matrix result(std::ssize(chosen), all.columns);
    for (std::int64_t i = 0; i < result.rows; ++i)
        std::copy_n(all.row(chosen[static_cast<std::size_t>(i)]), all.columns, result.row(i));
    return result;
}

Matrix product(const Matrix& left, const Matrix& right) {
    Matrix result(left.rows, right.columns);
    for (std::int64_t i = 0; i < left.rows; ++i)
        for (std::int64_t k = 0; k < left.columns; ++k)
            for (std::int64_t j = 0; j < right.columns; ++j)
                result.row(i)[j] += left.row(i)[k] * right.row(k)[j];
    return result;
}

// Swaps rows in as long as the volume they span grows: no labeled row then has a coefficient
// beyond volume_gain. \source Goreinov et al., "How to find a good submatrix", 2010, MaxVol.
void grow_volume(const Matrix& labeled, const Matrix& inverse, std::vector<std::int64_t>& chosen) {
    Matrix coefficients = product(labeled, inverse);
    const std::int64_t columns = labeled.columns;
    for (std::int64_t swaps = 0; swaps < most_swaps_of_column * columns; ++swaps) {
        const auto most =
            std::max_element(coefficients.values.begin(), coefficients.values.end(),
                             [](double a, double b) { return std::abs(a) < std::abs(b); });
        if (!(std::abs(*most) > volume_gain)) return;
        const std::int64_t at = most - coefficients.values.begin();
        const std::int64_t enters = at / columns;
        const std::int64_t leaves = at % columns;
        chosen[static_cast<std::size_t>(leaves)] = enters;
        const double pivot = *most;
        std::vector<double> change(coefficients.row(enters), coefficients.row(enters) + columns);
        change[static_cast<std::size_t>(leaves)] -= 1.0;
        for (std::int64_t i = 0; i < labeled.rows; ++i) {
            const double factor = coefficients.row(i)[leaves] / pivot;
            for (std::int64_t k = 0; k < columns; ++k)
                coefficients.row(i)[k] -= factor * change[static_cast<std::size_t>(k)];
        }
    }
}

/// max over j of |x^T A^-1|_j.
class ExtrapolationGrade : public FeatureScore {
  public:
    explicit ExtrapolationGrade(Matrix inverse) : inverse_(std::move(inverse)) {}

    void score(kernels::MatrixView features, RowId, std::span<float> scores) const override {
        thread_local std::vector<double> x;
        for (std::int64_t first = 0; first < features.rows; first += lanes) {
            turn_rows(features, first, x);
            double grade[lanes] = {};
            for (std::int64_t j = 0; j < inverse_.columns; ++j)
                add_column(x, j, grade);
            for (std::int64_t i = first; i < std::min(first + lanes, features.rows); ++i) {
                const std::span row(features.row(i), static_cast<std::size_t>(features.dim));
                const auto value = static_cast<float>(grade[i - first]);
                scores[static_cast<std::size_t>(i)] = is_usable(row) && std::isfinite(value)
                                                          ? value
                                                          : std::numeric_limits<float>::quiet_NaN();
            }
        }
    }

  private:
    void add_column(const std::vector<double>& x, std::int64_t column, double* grade) const {
        double sum[lanes] = {};
        for (std::int64_t k = 0; k < inverse_.rows; ++k)
            for (std::int64_t lane = 0; lane < lanes; ++lane)
                sum[lane] +=
                    x[static_cast<std::size_t>(k * lanes + lane)] * inverse_.row(k)[column];
        for (std::int64_t lane = 0; lane < lanes; ++lane)
            grade[lane] = std::max(grade[lane], std::abs(sum[lane]));
    }

    Matrix inverse_;  // of the active set's features
};

std::unique_ptr<FeatureScore> prepare(const ScorePreparation& from) {
    const Matrix labeled = read_labeled_features(from);
    std::vector<std::int64_t> chosen = spanning_rows(labeled);
    Matrix inverse = inverse_of(rows_of(labeled, chosen));
    if (inverse.rows > 0) {
        grow_volume(labeled, inverse, chosen);
        inverse = inverse_of(rows_of(labeled, chosen));
    }
    require(inverse.rows > 0, ExitCode::bad_data,
            "--score extrapolation_grade: the labeled and issued rows hardly span the features; "
            "label more and different rows or use posterior_variance");
    return std::make_unique<ExtrapolationGrade>(std::move(inverse));
}

ScoreForecast forecast(const ScoreSizes& sizes) {
    return {.memory_bytes =
                (2 * sizes.num_labeled + 3 * sizes.dim) * sizes.dim * std::int64_t{sizeof(double)}};
}

}  // namespace

// \source Podryabinkin and Shapeev, "Active learning of linearly parametrized interatomic
//         potentials", Comput. Mater. Sci. 140 (2017), section 3.
FeatureScoreDefinition extrapolation_grade() {
    return {"extrapolation_grade",
            {"gamma", "maxvol", "d_optimality"},
            "largest coefficient of the features in the labeled and issued rows that span the most "
            "(MaxVol); >= 0, above 1 it extrapolates",
            prepare,
            forecast};
}

}  // namespace sluice::select
