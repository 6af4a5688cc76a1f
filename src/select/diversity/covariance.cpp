#include "select/diversity/covariance.hpp"

#include "core/error.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/row_products.hpp"
#include "kernels/worker_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

constexpr std::size_t chains = 8;
constexpr std::int64_t tile_rows = 8;

// Squared lengths, one chain each.
void lengths_of_tile(kernels::MatrixView rows, std::int64_t first, std::span<double> lengths) {
    const float* row[tile_rows];
    for (std::int64_t j = 0; j < tile_rows; ++j)
        row[j] = rows.row(first + std::min(j, std::ssize(lengths) - 1));
    double sums[tile_rows] = {};
    for (std::int64_t k = 0; k < rows.dim; ++k) {
        for (std::int64_t j = 0; j < tile_rows; ++j) {
            const double x = row[j][k];
            sums[j] += x * x;
        }
    }
    std::copy_n(sums, lengths.size(), lengths.begin());
}

// x' M x of up to tile_rows rows: M x by blocks of rows of M, then the chain over x.
void quadratic_forms(kernels::MatrixView rows, std::int64_t first, const Covariance& covariance,
                     std::span<double> forms) {
    static thread_local kernels::AlignedFloats packed;
    float* const panel = packed.reserve(tile_rows * rows.dim);
    kernels::pack_products({rows.row(first), std::ssize(forms), rows.dim}, {}, panel);
    std::vector<double> products(static_cast<std::size_t>(rows.dim * tile_rows));
    const std::int64_t at_once = kernels::products_tile().vectors;
    for (std::int64_t k = 0; k < rows.dim; k += at_once) {
        std::vector<const double*> rows_of_matrix;
        for (std::int64_t row = k; row < std::min(rows.dim, k + at_once); ++row)
            rows_of_matrix.push_back(covariance.matrix_row(row).data());
        kernels::row_products(panel, 1, rows.dim, rows_of_matrix, products.data() + k * tile_rows);
    }
    double sums[tile_rows] = {};
    for (std::int64_t k = 0; k < rows.dim; ++k) {
        for (std::int64_t j = 0; j < tile_rows; ++j) {
            const std::int64_t at = k * tile_rows + j;
            sums[j] += static_cast<double>(panel[at]) * products[static_cast<std::size_t>(at)];
        }
    }
    std::copy_n(sums, forms.size(), forms.begin());
}

// work(first, part of the result) for tiles of rows.
template <typename Work>
std::vector<double> by_tiles(std::int64_t num_rows, int num_threads, const Work& work) {
    constexpr std::int64_t rows_a_task = 64 * tile_rows;
    std::vector<double> result(static_cast<std::size_t>(num_rows));
    kernels::parallel_for(
        num_threads, (num_rows + rows_a_task - 1) / rows_a_task, [&](std::int64_t task) {
            const std::int64_t end = std::min(num_rows, (task + 1) * rows_a_task);
            for (std::int64_t first = task * rows_a_task; first < end; first += tile_rows) {
                const std::int64_t count = std::min(tile_rows, end - first);
                work(first, std::span(result).subspan(static_cast<std::size_t>(first),
                                                      static_cast<std::size_t>(count)));
            }
        });
    return result;
}

}  // namespace

Covariance::Covariance(std::int64_t dim, double squared_sigma)
    : dim_(dim), squared_sigma_(squared_sigma), matrix_(static_cast<std::size_t>(dim * dim), 0.0) {
    for (std::int64_t k = 0; k < dim; ++k)
        matrix_[static_cast<std::size_t>(k * dim + k)] = 1.0;
}

std::vector<double> Covariance::times(std::span<const double> x) const {
    const auto dim = static_cast<std::size_t>(dim_);
    std::vector<double> result(dim);
    // A chain of sums waits for itself: some go side by side.
    std::size_t k = 0;
    for (; k + chains <= dim; k += chains) {
        double sums[chains] = {};
        for (std::size_t l = 0; l < dim; ++l) {
            for (std::size_t c = 0; c < chains; ++c)
                sums[c] += matrix_[(k + c) * dim + l] * x[l];
        }
        std::copy_n(sums, chains, result.begin() + static_cast<std::ptrdiff_t>(k));
    }
    for (; k < dim; ++k)
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
    is_identity_ = false;
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

std::vector<double> variances(kernels::MatrixView rows, const Covariance& covariance,
                              int num_threads) {
    // The identity's zeros add nothing to a sum.
    if (covariance.is_identity()) return squared_lengths(rows, num_threads);
    return by_tiles(rows.rows, num_threads, [&](std::int64_t first, std::span<double> part) {
        quadratic_forms(rows, first, covariance, part);
    });
}

std::vector<double> squared_lengths(kernels::MatrixView rows, int num_threads) {
    return by_tiles(rows.rows, num_threads, [&](std::int64_t first, std::span<double> part) {
        lengths_of_tile(rows, first, part);
    });
}

double noise_of(double wanted, std::span<const double> squared_lengths, comm::Communicator& world) {
    // sigma^2 has to stand out from the roundings of |x|^2 in float64.
    constexpr double least = 1e-7;
    constexpr double usual = 1e-3;
    double longest = 0.0;
    for (const double length : squared_lengths)
        longest = std::max(longest, length);
    longest = std::sqrt(world.max(longest));
    if (std::isnan(wanted)) return longest > 0.0 ? usual * longest : 1.0;
    if (wanted < least * longest)
        throw comm::AgreedError(
            ExitCode::usage,
            fmt::format("--sigma: {} is lost in the rounding of rows of length {:.3g}; give {:.3g} "
                        "or more",
                        wanted, longest, least * longest));
    return wanted;
}

}  // namespace sluice::select
