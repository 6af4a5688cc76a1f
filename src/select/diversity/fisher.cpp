#include "select/diversity/fisher.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

using Square = std::vector<double>;  // [r, r]

constexpr double infinity = std::numeric_limits<double>::infinity();

Square times(const Square& a, const Square& b, std::int64_t r) {
    Square result(a.size(), 0.0);
    for (std::int64_t i = 0; i < r; ++i)
        for (std::int64_t k = 0; k < r; ++k)
            for (std::int64_t j = 0; j < r; ++j)
                result[static_cast<std::size_t>(i * r + j)] +=
                    a[static_cast<std::size_t>(i * r + k)] * b[static_cast<std::size_t>(k * r + j)];
    return result;
}

Square turned(const Square& a, std::int64_t r) {
    Square result(a.size());
    for (std::int64_t i = 0; i < r; ++i)
        for (std::int64_t j = 0; j < r; ++j)
            result[static_cast<std::size_t>(j * r + i)] = a[static_cast<std::size_t>(i * r + j)];
    return result;
}

// (sign I + a)^-1 by a Cholesky factor; empty if sign (sign I + a) is not positive definite.
Square core_of(const Square& a, double sign, std::int64_t r) {
    Matrix factor(r, r);
    for (std::int64_t i = 0; i < r; ++i) {
        for (std::int64_t j = 0; j < r; ++j) {
            const double mean = 0.5 * (a[static_cast<std::size_t>(i * r + j)] +
                                       a[static_cast<std::size_t>(j * r + i)]);
            factor.row(i)[j] = sign * mean + (i == j ? 1.0 : 0.0);
        }
    }
    if (!factorize(factor)) return {};
    Square result(a.size(), 0.0);
    std::vector<double> z(static_cast<std::size_t>(r));
    for (std::int64_t column = 0; column < r; ++column) {
        for (std::int64_t i = 0; i < r; ++i) {  // L z = e
            double sum = i == column ? 1.0 : 0.0;
            for (std::int64_t k = 0; k < i; ++k)
                sum -= factor.row(i)[k] * z[static_cast<std::size_t>(k)];
            z[static_cast<std::size_t>(i)] = sum / factor.row(i)[i];
        }
        for (std::int64_t i = r - 1; i >= 0; --i) {  // L^T x = z
            double sum = z[static_cast<std::size_t>(i)];
            for (std::int64_t k = i + 1; k < r; ++k)
                sum -= factor.row(k)[i] * z[static_cast<std::size_t>(k)];
            z[static_cast<std::size_t>(i)] = sum / factor.row(i)[i];
            result[static_cast<std::size_t>(i * r + column)] =
                sign * z[static_cast<std::size_t>(i)];
        }
    }
    return result;
}

double trace_of_product(const Square& a, const Square& b, std::int64_t r) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < r; ++i)
        for (std::int64_t k = 0; k < r; ++k)
            sum += a[static_cast<std::size_t>(i * r + k)] * b[static_cast<std::size_t>(k * r + i)];
    return sum;
}

double largest_of(std::span<const float> values) {
    double largest = 0.0;
    for (const float value : values)
        largest = std::max(largest, std::abs(static_cast<double>(value)));
    return largest;
}

}  // namespace

std::vector<double> class_root(std::span<const double> p) {
    const std::size_t r = p.size();
    std::vector<double> root(r * r);
    for (std::size_t i = 0; i < r; ++i)
        for (std::size_t j = 0; j < r; ++j)
            root[i * r + j] = (i == j ? std::sqrt(p[i]) : 0.0) - p[i] * std::sqrt(p[j]);
    return root;
}

std::vector<double> mean_probabilities(std::span<const float> member_says, std::int64_t members) {
    const std::size_t classes = member_says.size() / static_cast<std::size_t>(members);
    std::vector<double> mean(classes, 0.0);
    double sum = 0.0;
    for (std::size_t i = 0; i < member_says.size(); ++i)
        mean[i % classes] += static_cast<double>(member_says[i]);
    for (const double p : mean)
        sum += p;
    for (double& p : mean)
        p /= sum;
    return mean;
}

Matrix product(const Matrix& a, const Matrix& b) {
    Matrix result(a.rows, b.columns);
    for (std::int64_t i = 0; i < a.rows; ++i) {
        for (std::int64_t k = 0; k < a.columns; ++k) {
            const double factor = a.row(i)[k];
            for (std::int64_t j = 0; j < b.columns; ++j)
                result.row(i)[j] += factor * b.row(k)[j];
        }
    }
    return result;
}

void InformationSum::add(const float* x, const std::vector<double>& root, double weight,
                         Matrix& sum) const {
    const Square spread = times(root, turned(root, rank_), rank_);
    for (std::int64_t i = 0; i < sum.rows; ++i) {
        const double left = weight * static_cast<double>(x[i / rank_]);
        const double* const own = spread.data() + i % rank_ * rank_;
        double* const to = sum.row(i);
        for (std::int64_t d = 0; d < dim_; ++d)
            for (std::int64_t c = 0; c < rank_; ++c)
                to[d * rank_ + c] += left * static_cast<double>(x[d]) * own[c];
    }
}

Matrix InformationSum::over_ranks(kernels::MatrixView features,
                                  const std::vector<std::vector<double>>& roots,
                                  comm::Communicator& world) const {
    const std::int64_t size = dim_ * rank_;
    double largest = 0.0;
    for (std::int64_t i = 0; i < features.rows; ++i) {
        const double x = largest_of({features.row(i), static_cast<std::size_t>(features.dim)});
        largest = std::max(largest, x * x);  // no element of root root^T is above 1
    }
    largest = world.max(largest);
    const std::int64_t num_rows = world.sum(features.rows);
    const int bits = 62 - static_cast<int>(std::bit_width(static_cast<std::uint64_t>(num_rows)));
    const double scale = largest > 0.0 ? std::ldexp(1.0, bits - 1 - std::ilogb(largest)) : 1.0;
    std::vector<std::int64_t> sums(static_cast<std::size_t>(size * size), 0);
    Matrix one(size, size);
    for (std::int64_t row = 0; row < features.rows; ++row) {
        std::fill(one.values.begin(), one.values.end(), 0.0);
        add(features.row(row), roots[static_cast<std::size_t>(row)], scale, one);
        for (std::size_t i = 0; i < sums.size(); ++i)
            sums[i] += std::llrint(one.values[i]);
    }
    world.sum(sums);
    for (std::size_t i = 0; i < sums.size(); ++i)
        one.values[i] = static_cast<double>(sums[i]) / scale;
    return one;
}

FisherTrace::FisherTrace(std::int64_t dim, std::int64_t rank, Matrix inverse, Matrix error)
    : dim_(dim),
      rank_(rank),
      inverse_(std::move(inverse)),
      error_(std::move(error)),
      both_(product(product(inverse_, error_), inverse_)) {
    for (std::int64_t i = 0; i < inverse_.rows; ++i)
        for (std::int64_t k = 0; k < inverse_.rows; ++k)
            trace_ += inverse_.row(i)[k] * error_.row(k)[i];
}

// matrix V, [n, r].
std::vector<double> FisherTrace::times_v(const Matrix& matrix, const FisherRow& row) const {
    std::vector<double> result(static_cast<std::size_t>(matrix.rows * rank_), 0.0);
    std::vector<double> by_class(static_cast<std::size_t>(rank_));
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        std::fill(by_class.begin(), by_class.end(), 0.0);
        for (std::int64_t d = 0; d < dim_; ++d)
            for (std::int64_t c = 0; c < rank_; ++c)
                by_class[static_cast<std::size_t>(c)] +=
                    matrix.row(i)[d * rank_ + c] * static_cast<double>(row.x[d]);
        for (std::int64_t c = 0; c < rank_; ++c)
            for (std::int64_t e = 0; e < rank_; ++e)
                result[static_cast<std::size_t>(i * rank_ + e)] +=
                    by_class[static_cast<std::size_t>(c)] *
                    row.root[static_cast<std::size_t>(c * rank_ + e)];
    }
    return result;
}

// matrix^T V, [r, r], of a matrix [n, r].
std::vector<double> FisherTrace::v_times(const std::vector<double>& matrix,
                                         const FisherRow& row) const {
    Square by_class(static_cast<std::size_t>(rank_ * rank_), 0.0);  // [e, c]
    for (std::int64_t d = 0; d < dim_; ++d)
        for (std::int64_t c = 0; c < rank_; ++c)
            for (std::int64_t e = 0; e < rank_; ++e)
                by_class[static_cast<std::size_t>(e * rank_ + c)] +=
                    matrix[static_cast<std::size_t>((d * rank_ + c) * rank_ + e)] *
                    static_cast<double>(row.x[d]);
    return times(by_class, row.root, rank_);
}

FisherRow FisherTrace::row(const float* x, std::vector<double> root) const {
    FisherRow row{x, std::move(root), {}, {}};
    row.own_inverse = v_times(times_v(inverse_, row), row);
    row.own_error = v_times(times_v(both_, row), row);
    return row;
}

double FisherTrace::fall(const FisherRow& row) const {
    return trace_of_product(core_of(row.own_inverse, 1.0, rank_), row.own_error, rank_);
}

double FisherTrace::rise(const FisherRow& row) const {
    const Square core = core_of(row.own_inverse, -1.0, rank_);
    return core.empty() ? infinity : -trace_of_product(core, row.own_error, rank_);
}

FisherTrace::Step FisherTrace::change(const FisherRow& row, double sign) {
    Step step{times_v(inverse_, row), times_v(both_, row), core_of(row.own_inverse, sign, rank_),
              row.own_error};
    trace_ -= trace_of_product(step.core, row.own_error, rank_);
    const std::vector<double> next = [&] {  // M V core, [n, r]
        std::vector<double> result(step.inverse_v.size(), 0.0);
        for (std::int64_t i = 0; i < inverse_.rows; ++i)
            for (std::int64_t e = 0; e < rank_; ++e)
                for (std::int64_t f = 0; f < rank_; ++f)
                    result[static_cast<std::size_t>(i * rank_ + f)] +=
                        step.inverse_v[static_cast<std::size_t>(i * rank_ + e)] *
                        step.core[static_cast<std::size_t>(e * rank_ + f)];
        return result;
    }();
    // With a = M V core, u = M V, z = M F M V and g = V^T z: M' = M - a u^T and
    // M' F M' = M F M - a z^T - z a^T + a g a^T.
    for (std::int64_t i = 0; i < inverse_.rows; ++i) {
        for (std::int64_t e = 0; e < rank_; ++e) {
            const double a = next[static_cast<std::size_t>(i * rank_ + e)];
            const double z = step.error_v[static_cast<std::size_t>(i * rank_ + e)];
            double ag = 0.0;
            for (std::int64_t f = 0; f < rank_; ++f)
                ag += next[static_cast<std::size_t>(i * rank_ + f)] *
                      step.own_error[static_cast<std::size_t>(f * rank_ + e)];
            for (std::int64_t k = 0; k < inverse_.rows; ++k) {
                const auto other = static_cast<std::size_t>(k * rank_ + e);
                inverse_.row(i)[k] -= a * step.inverse_v[other];
                both_.row(i)[k] += (ag - z) * next[other] - a * step.error_v[other];
            }
        }
    }
    return step;
}

void FisherTrace::update(const Step& step, FisherRow& row) const {
    const Square p = v_times(step.inverse_v, row);
    const Square q = v_times(step.error_v, row);
    const Square cp = times(step.core, p, rank_);
    const Square pc = turned(cp, rank_);  // the core is symmetric
    const Square pcp = times(pc, p, rank_);
    const Square pcq = times(pc, q, rank_);
    const Square qcp = turned(pcq, rank_);
    const Square pcgcp = times(times(pc, step.own_error, rank_), cp, rank_);
    for (std::size_t i = 0; i < p.size(); ++i) {
        row.own_inverse[i] -= pcp[i];
        row.own_error[i] += pcgcp[i] - pcq[i] - qcp[i];
    }
}

}  // namespace sluice::select
