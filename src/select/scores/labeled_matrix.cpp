#include "select/scores/labeled_matrix.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

constexpr std::size_t rows_at_once = 1024;

}  // namespace

Matrix read_labeled_features(const ScorePreparation& from) {
    const std::span<const RowId> labeled = from.labeled;
    const auto dim = static_cast<std::size_t>(from.features.dim());
    Matrix matrix(std::ssize(labeled), from.features.dim());
    from.world.agree([&] {
        std::vector<float> values;
        for (std::size_t begin = 0; begin < labeled.size(); begin += rows_at_once) {
            const auto rows =
                labeled.subspan(begin, std::min(rows_at_once, labeled.size() - begin));
            values.resize(rows.size() * dim);
            from.features.gather(rows, values);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const auto row = std::span(values).subspan(i * dim, dim);
                require(is_usable(row), ExitCode::bad_data,
                        from.features.location(rows[i]) + ": " + describe_unusable(row) +
                            "; repair the row, it is labeled or issued");
            }
            std::copy(values.begin(), values.end(),
                      matrix.values.begin() + static_cast<std::ptrdiff_t>(begin * dim));
        }
    });
    return matrix;
}

bool factorize(Matrix& matrix) {
    const std::int64_t size = matrix.rows;
    for (std::int64_t j = 0; j < size; ++j) {
        for (std::int64_t i = j; i < size; ++i) {
            double sum = matrix.row(i)[j];
            for (std::int64_t k = 0; k < j; ++k)
                sum -= matrix.row(i)[k] * matrix.row(j)[k];
            if (i == j) {
                if (!(sum > 0.0)) return false;
                matrix.row(j)[j] = std::sqrt(sum);
            } else {
                matrix.row(i)[j] = sum / matrix.row(j)[j];
            }
        }
        std::fill(matrix.row(j) + j + 1, matrix.row(j) + size, 0.0);
    }
    return true;
}

Matrix inverse_of(Matrix matrix) {
    const std::int64_t size = matrix.rows;
    Matrix inverse(size, size);
    for (std::int64_t i = 0; i < size; ++i)
        inverse.row(i)[i] = 1.0;
    double largest = 0.0;
    for (const double value : matrix.values)
        largest = std::max(largest, std::abs(value));
    for (std::int64_t j = 0; j < size; ++j) {
        std::int64_t pivot = j;
        for (std::int64_t i = j + 1; i < size; ++i)
            if (std::abs(matrix.row(i)[j]) > std::abs(matrix.row(pivot)[j])) pivot = i;
        if (!(std::abs(matrix.row(pivot)[j]) > 1e-12 * largest)) return {0, 0};
        std::swap_ranges(matrix.row(j), matrix.row(j) + size, matrix.row(pivot));
        std::swap_ranges(inverse.row(j), inverse.row(j) + size, inverse.row(pivot));
        const double scale = 1.0 / matrix.row(j)[j];
        for (std::int64_t k = 0; k < size; ++k) {
            matrix.row(j)[k] *= scale;
            inverse.row(j)[k] *= scale;
        }
        for (std::int64_t i = 0; i < size; ++i) {
            const double factor = matrix.row(i)[j];
            if (i == j || factor == 0.0) continue;
            for (std::int64_t k = 0; k < size; ++k) {
                matrix.row(i)[k] -= factor * matrix.row(j)[k];
                inverse.row(i)[k] -= factor * inverse.row(j)[k];
            }
        }
    }
    return inverse;
}

void turn_rows(kernels::MatrixView features, std::int64_t first, std::vector<double>& columns) {
    columns.resize(static_cast<std::size_t>(features.dim * lanes));
    for (std::int64_t lane = 0; lane < lanes; ++lane) {
        const float* row = features.row(std::min(first + lane, features.rows - 1));
        for (std::int64_t k = 0; k < features.dim; ++k)
            columns[static_cast<std::size_t>(k * lanes + lane)] = static_cast<double>(row[k]);
    }
}

}  // namespace sluice::select
