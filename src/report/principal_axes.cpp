#include "report/principal_axes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sluice::report {
namespace {

constexpr double unit = 0x1p20;
constexpr std::int64_t exact_rows = 4096;  // 2^12 products of at most 2^40 each: exact in a double
constexpr std::size_t basis_size = 8;
constexpr int max_steps = 300;
constexpr double tolerance = 1e-13;
constexpr int jacobi_sweeps = 30;

using Vector = std::vector<double>;
using Matrix = std::vector<double>;  // [n, n], row-major

double largest_feature(std::span<const float> rows, comm::Communicator& world) {
    double largest = 0.0;
    for (const float value : rows)
        largest = std::max(largest, std::fabs(static_cast<double>(value)));
    return world.max(largest);
}

// Sums of the features, then of their products [D, D] (upper triangle), as whole numbers.
std::vector<std::int64_t> exact_sums(std::span<const float> rows, std::int64_t dim, double factor) {
    const auto width = static_cast<std::size_t>(dim);
    std::vector<std::int64_t> sums(width + width * width, 0);
    const auto num_rows = static_cast<std::int64_t>(rows.size()) / dim;
    Vector part(sums.size());
    Vector whole(width);
    for (std::int64_t begin = 0; begin < num_rows; begin += exact_rows) {
        std::fill(part.begin(), part.end(), 0.0);
        for (std::int64_t row = begin; row < std::min(num_rows, begin + exact_rows); ++row) {
            const float* values = rows.data() + row * dim;
            for (std::size_t i = 0; i < width; ++i)
                whole[i] = std::nearbyint(static_cast<double>(values[i]) * factor);
            for (std::size_t i = 0; i < width; ++i) {
                part[i] += whole[i];
                double* products = part.data() + width + i * width;
                for (std::size_t k = i; k < width; ++k)
                    products[k] += whole[i] * whole[k];
            }
        }
        for (std::size_t i = 0; i < sums.size(); ++i)
            sums[i] += static_cast<std::int64_t>(part[i]);
    }
    return sums;
}

double dot(const Vector& a, const Vector& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i)
        sum += a[i] * b[i];
    return sum;
}

Vector times(const Matrix& matrix, const Vector& vector) {
    const std::size_t n = vector.size();
    Vector result(n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        const double* row = matrix.data() + i * n;
        for (std::size_t k = 0; k < n; ++k)
            result[i] += row[k] * vector[k];
    }
    return result;
}

// Gram-Schmidt, twice; what has nothing of its own becomes zero.
void make_orthonormal(std::vector<Vector>& basis) {
    for (std::size_t j = 0; j < basis.size(); ++j) {
        const double before = std::sqrt(dot(basis[j], basis[j]));
        for (int pass = 0; pass < 2; ++pass) {
            for (std::size_t i = 0; i < j; ++i) {
                const double along = dot(basis[i], basis[j]);
                for (std::size_t k = 0; k < basis[j].size(); ++k)
                    basis[j][k] -= along * basis[i][k];
            }
        }
        const double length = std::sqrt(dot(basis[j], basis[j]));
        const double scale = length > 1e-10 * before && length > 0.0 ? 1.0 / length : 0.0;
        for (double& value : basis[j])
            value *= scale;
    }
}

// One rotation of Jacobi's method that makes element (p, q) of a symmetric matrix zero.
void rotate(Matrix& matrix, Matrix& vectors, std::size_t n, std::size_t p, std::size_t q) {
    const double off = matrix[p * n + q];
    if (off == 0.0) return;
    const double theta = (matrix[q * n + q] - matrix[p * n + p]) / (2.0 * off);
    const double t =
        (theta >= 0.0 ? 1.0 : -1.0) / (std::fabs(theta) + std::sqrt(theta * theta + 1.0));
    const double c = 1.0 / std::sqrt(t * t + 1.0);
    const double s = t * c;
    for (std::size_t k = 0; k < n; ++k) {
        const double a = matrix[k * n + p];
        const double b = matrix[k * n + q];
        matrix[k * n + p] = c * a - s * b;
        matrix[k * n + q] = s * a + c * b;
    }
    for (std::size_t k = 0; k < n; ++k) {
        const double a = matrix[p * n + k];
        const double b = matrix[q * n + k];
        matrix[p * n + k] = c * a - s * b;
        matrix[q * n + k] = s * a + c * b;
        const double v = vectors[k * n + p];
        const double w = vectors[k * n + q];
        vectors[k * n + p] = c * v - s * w;
        vectors[k * n + q] = s * v + c * w;
    }
}

// Turns the basis so that its vectors are the eigenvectors of the matrix within its span, the
// largest eigenvalue first (Rayleigh-Ritz); returns the eigenvalues.
Vector turn_to_eigenvectors(const Matrix& covariance, std::vector<Vector>& basis) {
    const std::size_t n = basis.size();
    std::vector<Vector> images;
    images.reserve(n);
    for (const Vector& vector : basis)
        images.push_back(times(covariance, vector));
    Matrix small(n * n);
    Matrix vectors(n * n, 0.0);
    for (std::size_t i = 0; i < n; ++i) {
        vectors[i * n + i] = 1.0;
        for (std::size_t k = 0; k < n; ++k)
            small[i * n + k] = dot(basis[i], images[k]);
    }
    for (int sweep = 0; sweep < jacobi_sweeps; ++sweep) {
        for (std::size_t p = 0; p < n; ++p) {
            for (std::size_t q = p + 1; q < n; ++q)
                rotate(small, vectors, n, p, q);
        }
    }
    std::vector<std::size_t> order(n);
    for (std::size_t i = 0; i < n; ++i)
        order[i] = i;
    std::ranges::stable_sort(
        order, [&](std::size_t a, std::size_t b) { return small[a * n + a] > small[b * n + b]; });
    Vector values;
    std::vector<Vector> turned;
    for (const std::size_t j : order) {
        Vector vector(basis.front().size(), 0.0);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t k = 0; k < vector.size(); ++k)
                vector[k] += vectors[i * n + j] * basis[i][k];
        }
        turned.push_back(std::move(vector));
        values.push_back(small[j * n + j]);
    }
    basis = std::move(turned);
    return values;
}

// A start that no axis is likely to be at right angles to, the same everywhere.
std::vector<Vector> first_basis(std::size_t dim) {
    std::vector<Vector> basis(std::min(dim, basis_size), Vector(dim, 0.0));
    for (std::size_t j = 0; j < basis.size(); ++j) {
        for (std::size_t k = 0; k < dim; ++k)
            basis[j][k] = (k % basis.size() == j ? 1.0 : 0.0) +
                          1.0 / static_cast<double>(2 + ((k + 1) * (j + 3)) % 97);
    }
    return basis;
}

void point_upwards(Vector& axis) {
    const auto largest = std::ranges::max_element(
        axis, [](double a, double b) { return std::fabs(a) < std::fabs(b); });
    if (*largest >= 0.0) return;
    for (double& value : axis)
        value = -value;
}

// Orthogonal iteration.
void find_axes(const Matrix& covariance, std::size_t dim, PrincipalAxes& axes) {
    double total = 0.0;
    for (std::size_t i = 0; i < dim; ++i)
        total += covariance[i * dim + i];
    std::vector<Vector> basis = first_basis(dim);
    make_orthonormal(basis);
    Vector values = turn_to_eigenvectors(covariance, basis);
    for (int step = 0; step < max_steps && total > 0.0; ++step) {
        const std::vector<Vector> before(
            basis.begin(), basis.begin() + std::min<std::ptrdiff_t>(2, std::ssize(basis)));
        for (Vector& vector : basis)
            vector = times(covariance, vector);
        make_orthonormal(basis);
        values = turn_to_eigenvectors(covariance, basis);
        double change = 0.0;
        for (std::size_t j = 0; j < before.size(); ++j)
            change = std::max(change, 1.0 - std::fabs(dot(before[j], basis[j])));
        if (change < tolerance) break;
    }
    for (std::size_t j = 0; j < 2; ++j) {
        axes.axis[j] = j < basis.size() ? basis[j] : Vector(dim, 0.0);
        point_upwards(axes.axis[j]);
        axes.share[j] = total > 0.0 && j < values.size() ? std::max(0.0, values[j] / total) : 0.0;
    }
}

}  // namespace

double PrincipalAxes::project(std::span<const float> row, std::size_t number) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < row.size(); ++i)
        sum += (static_cast<double>(row[i]) - mean[i]) * axis[number][i];
    return sum;
}

PrincipalAxes principal_axes(std::span<const float> rows, std::int64_t dim,
                             comm::Communicator& world) {
    PrincipalAxes axes;
    const auto width = static_cast<std::size_t>(dim);
    axes.rows = world.sum(static_cast<std::int64_t>(rows.size()) / dim);
    const double largest = largest_feature(rows, world);
    const double factor = largest > 0.0 ? unit / largest : 1.0;
    std::vector<std::int64_t> sums = exact_sums(rows, dim, factor);
    world.sum(sums);
    const double count = static_cast<double>(std::max<std::int64_t>(axes.rows, 1));
    Vector whole_mean(width);
    for (std::size_t i = 0; i < width; ++i)
        whole_mean[i] = static_cast<double>(sums[i]) / count;
    Matrix covariance(width * width);
    for (std::size_t i = 0; i < width; ++i) {
        for (std::size_t k = i; k < width; ++k) {
            const double product = static_cast<double>(sums[width + i * width + k]) / count;
            covariance[i * width + k] = product - whole_mean[i] * whole_mean[k];
            covariance[k * width + i] = covariance[i * width + k];
        }
    }
    for (const double value : whole_mean)
        axes.mean.push_back(value / factor);
    find_axes(covariance, width, axes);
    return axes;
}

}  // namespace sluice::report
