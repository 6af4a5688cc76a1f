#include "select/diversity/symmetric_eigenvalues.hpp"

#include "core/error.hpp"

#include <cmath>
#include <cstdint>
#include <limits>

namespace sluice::select {
namespace {

constexpr int most_sweeps = 60;  // for one eigenvalue; 2 or 3 are usual

struct Tridiagonal {
    std::vector<double> diagonal;
    std::vector<double> beside;  // beside[i] links i and i + 1; the last one is 0
};

// H = I - factor v v', which turns column k below the diagonal into (first, 0, 0, ...).
struct Reflection {
    std::vector<double> v;
    double factor = 0.0;
    double first = 0.0;
};

Reflection reflection_of(const Matrix& a, std::int64_t k) {
    Reflection result{std::vector<double>(static_cast<std::size_t>(a.rows), 0.0), 0.0,
                      a.row(k + 1)[k]};
    double tail = 0.0;
    for (std::int64_t i = k + 2; i < a.rows; ++i) {
        result.v[static_cast<std::size_t>(i)] = a.row(i)[k];
        tail += a.row(i)[k] * a.row(i)[k];
    }
    if (!(tail > 0.0)) return result;
    const double norm = std::sqrt(tail + result.first * result.first);
    const double pivot = result.first >= 0.0 ? result.first + norm : result.first - norm;
    result.v[static_cast<std::size_t>(k + 1)] = pivot;
    result.factor = 2.0 / (tail + pivot * pivot);
    result.first = result.first >= 0.0 ? -norm : norm;
    return result;
}

// a := H a H for H = I - factor v v', on rows and columns from k + 1 on; the lower half alone.
void reflect(Matrix& a, std::int64_t k, const Reflection& by) {
    const std::vector<double>& v = by.v;
    std::vector<double> w(v.size(), 0.0);  // factor a v, then less its part along v
    double inner = 0.0;
    for (std::int64_t i = k + 1; i < a.rows; ++i) {
        const auto at = static_cast<std::size_t>(i);
        for (std::int64_t j = k + 1; j < i; ++j) {
            w[at] += a.row(i)[j] * v[static_cast<std::size_t>(j)];
            w[static_cast<std::size_t>(j)] += a.row(i)[j] * v[at];
        }
        w[at] += a.row(i)[i] * v[at];
    }
    for (std::size_t i = 0; i < w.size(); ++i) {
        w[i] *= by.factor;
        inner += w[i] * v[i];
    }
    for (std::size_t i = 0; i < w.size(); ++i)
        w[i] -= 0.5 * by.factor * inner * v[i];
    for (std::int64_t i = k + 1; i < a.rows; ++i) {
        const auto at = static_cast<std::size_t>(i);
        for (std::int64_t j = k + 1; j <= i; ++j) {
            const auto other = static_cast<std::size_t>(j);
            a.row(i)[j] -= v[at] * w[other] + w[at] * v[other];
        }
    }
}

Tridiagonal tridiagonal_of(Matrix& a) {
    const auto size = static_cast<std::size_t>(a.rows);
    Tridiagonal result{std::vector<double>(size), std::vector<double>(size, 0.0)};
    for (std::int64_t k = 0; k < a.rows; ++k) {
        const auto at = static_cast<std::size_t>(k);
        result.diagonal[at] = a.row(k)[k];
        if (k + 1 == a.rows) break;
        const Reflection by = reflection_of(a, k);
        result.beside[at] = by.first;
        if (by.factor > 0.0) reflect(a, k, by);
    }
    return result;
}

// One implicit QL sweep over rows [low, high], whose links are not negligible.
void sweep(Tridiagonal& t, std::size_t low, std::size_t high) {
    double g = (t.diagonal[low + 1] - t.diagonal[low]) / (2.0 * t.beside[low]);
    double r = std::sqrt(g * g + 1.0);
    g = t.diagonal[high] - t.diagonal[low] + t.beside[low] / (g + (g >= 0.0 ? r : -r));
    double s = 1.0;
    double c = 1.0;
    double p = 0.0;
    for (std::size_t i = high; i-- > low;) {
        const double f = s * t.beside[i];
        const double b = c * t.beside[i];
        r = std::sqrt(f * f + g * g);
        t.beside[i + 1] = r;
        if (r == 0.0) {  // a link has vanished: begin again below it
            t.diagonal[i + 1] -= p;
            t.beside[high] = 0.0;
            return;
        }
        s = f / r;
        c = g / r;
        g = t.diagonal[i + 1] - p;
        r = (t.diagonal[i] - g) * s + 2.0 * c * b;
        p = s * r;
        t.diagonal[i + 1] = g + p;
        g = c * r - b;
    }
    t.diagonal[low] -= p;
    t.beside[low] = g;
    t.beside[high] = 0.0;
}

}  // namespace

std::vector<double> symmetric_eigenvalues(Matrix matrix) {
    Tridiagonal t = tridiagonal_of(matrix);
    const std::size_t size = t.diagonal.size();
    for (std::size_t low = 0; low < size; ++low) {
        for (int count = 0;; ++count) {
            std::size_t high = low;
            for (; high + 1 < size; ++high) {
                const double near = std::fabs(t.diagonal[high]) + std::fabs(t.diagonal[high + 1]);
                if (std::fabs(t.beside[high]) <= std::numeric_limits<double>::epsilon() * near)
                    break;
            }
            if (high == low) break;
            require(count < most_sweeps, ExitCode::bad_data,
                    "--diversify firal: eigenvalues do not converge; scale the features, e.g. to "
                    "unit variance");
            sweep(t, low, high);
        }
    }
    return t.diagonal;
}

}  // namespace sluice::select
