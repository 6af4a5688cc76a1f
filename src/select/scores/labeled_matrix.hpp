#pragma once

#include "select/feature_score.hpp"

#include <cstdint>
#include <vector>

/// Small dense linear algebra in float64 for feature scores: plain loops in one order and no fused
/// operations, so that all ranks and machines get the same bits.
namespace sluice::select {

/// A row-major matrix.
struct Matrix {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::vector<double> values;

    Matrix(std::int64_t num_rows, std::int64_t num_columns)
        : rows(num_rows),
          columns(num_columns),
          values(static_cast<std::size_t>(num_rows * num_columns), 0.0) {}

    double* row(std::int64_t i) { return values.data() + i * columns; }
    const double* row(std::int64_t i) const { return values.data() + i * columns; }
};

/// Features of the rows that are labeled or issued, every rank all of them. Throws Error(bad_data)
/// for one that is not usable. \collective
Matrix read_labeled_features(const ScorePreparation& from);

/// Replaces a positive definite matrix by its lower Cholesky factor. False if it is not positive
/// definite.
bool factorize(Matrix& matrix);

/// The inverse of a square matrix by Gauss-Jordan elimination with row pivoting; empty (0 rows) if
/// it is singular to working precision.
Matrix inverse_of(Matrix matrix);

/// Rows that are scored side by side: a loop over them is a vector.
inline constexpr std::int64_t lanes = 8;

/// Columns [dim][lanes] of up to `lanes` rows of features from row `first` on, the last repeated.
void turn_rows(kernels::MatrixView features, std::int64_t first, std::vector<double>& columns);

}  // namespace sluice::select
