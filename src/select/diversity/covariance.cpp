#include "select/diversity/covariance.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {

Covariance::Covariance(std::int64_t dim, double squared_sigma)
    : dim_(dim), squared_sigma_(squared_sigma), matrix_(static_cast<std::size_t>(dim * dim), 0.0) {
    for (std::int64_t k = 0; k < dim; ++k)
        matrix_[static_cast<std::size_t>(k * dim + k)] = 1.0;
}

std::vector<double> Covariance::times(std::span<const double> x) const {
    const auto dim = static_cast<std::size_t>(dim_);
    std::vector<double> result(dim);
    for (std::size_t k = 0; k < dim; ++k)
        result[k] = dot(std::span(matrix_).subspan(k * dim, dim), x);
    return result;
}

Covariance::Look Covariance::look_at(std::span<const double> x) {
    Look look{times(x), 0.0};
    look.variance = squared_sigma_ + dot(x, look.direction);
    add_square(look.direction, -1.0 / look.variance);
    return look;
}

Covariance::Look Covariance::forget(std::span<const double> x) {
    Look look{times(x), 0.0};
    look.variance = squared_sigma_ - dot(x, look.direction);
    add_square(look.direction, 1.0 / look.variance);
    return look;
}

void Covariance::add_square(std::span<const double> m, double factor) {
    const auto dim = static_cast<std::size_t>(dim_);
    for (std::size_t k = 0; k < dim; ++k) {
        const double scaled = m[k] * factor;
        for (std::size_t l = 0; l < dim; ++l)
            matrix_[k * dim + l] += scaled * m[l];
    }
}

void look_at_centers(const ShortlistShare& share, Covariance& covariance) {
    if (share.num_centers == 0) return;
    share.visit_centers([&](kernels::MatrixView centers) {
        for (std::int64_t i = 0; i < centers.rows; ++i) {
            const std::span<const float> row(centers.row(i), static_cast<std::size_t>(centers.dim));
            static_cast<void>(covariance.look_at(widened(row)));
        }
    });
}

std::vector<double> variances(kernels::MatrixView rows, const Covariance& covariance) {
    std::vector<double> result(static_cast<std::size_t>(rows.rows));
    for (std::int64_t i = 0; i < rows.rows; ++i) {
        const std::vector<double> x = widened({rows.row(i), static_cast<std::size_t>(rows.dim)});
        result[static_cast<std::size_t>(i)] = dot(x, covariance.times(x));
    }
    return result;
}

double noise_of(double wanted, const ShortlistShare& share, comm::Communicator& world) {
    if (!std::isnan(wanted)) return wanted;
    double longest = 0.0;
    for (std::int64_t i = 0; i < share.features.rows; ++i) {
        const std::vector<double> x =
            widened({share.features.row(i), static_cast<std::size_t>(share.features.dim)});
        longest = std::max(longest, dot(x, x));
    }
    longest = world.max(longest);
    return longest > 0.0 ? 1e-3 * std::sqrt(longest) : 1.0;
}

}  // namespace sluice::select
