#pragma once

#include "select/diversity/fisher.hpp"
#include "select/run_rule.hpp"

#include <cmath>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

/// Small cases for rules of Fisher information, and its definitions in dense float64 matrices.
namespace sluice::test {

using select::Matrix;

// Dense [n, n] float64, as the definitions have it.
inline Matrix information_of(const float* x, std::int64_t dim, const std::vector<double>& p) {
    const auto classes = std::ssize(p);
    Matrix result(dim * classes, dim * classes);
    for (std::int64_t d = 0; d < dim; ++d)
        for (std::int64_t c = 0; c < classes; ++c)
            for (std::int64_t e = 0; e < dim; ++e)
                for (std::int64_t f = 0; f < classes; ++f) {
                    const double left = p[static_cast<std::size_t>(c)];
                    const double right = p[static_cast<std::size_t>(f)];
                    result.row(d * classes + c)[e * classes + f] =
                        static_cast<double>(x[d]) * static_cast<double>(x[e]) *
                        ((c == f ? left : 0.0) - left * right);
                }
    return result;
}

inline void add_to(Matrix& sum, const Matrix& term, double weight = 1.0) {
    for (std::size_t i = 0; i < sum.values.size(); ++i)
        sum.values[i] += weight * term.values[i];
}

inline double trace_of(const Matrix& information, const Matrix& error) {
    const Matrix both = select::product(select::inverse_of(information), error);
    double trace = 0.0;
    for (std::int64_t i = 0; i < both.rows; ++i)
        trace += both.row(i)[i];
    return trace;
}

struct Case {
    WholeShortlist list;
    RuleRequest request;
};

inline std::vector<float> random_says(std::int64_t rows, std::int64_t members, std::int64_t classes,
                                      float shape, std::mt19937& generator) {
    std::gamma_distribution<float> gamma(shape);
    std::vector<float> says;
    for (std::int64_t i = 0; i < rows * members; ++i) {
        std::vector<float> p;
        float sum = 0.0F;
        for (std::int64_t c = 0; c < classes; ++c) {
            p.push_back(gamma(generator) + 0.01F);
            sum += p.back();
        }
        for (const float value : p)
            says.push_back(value / sum);
    }
    return says;
}

/// What members say of rows and, three times of four, of four centres; the smaller `shape`, the
/// surer they are.
inline void add_members(Case& one, unsigned seed, float shape, std::mt19937& generator) {
    RuleRequest& request = one.request;
    request.members = 1 + seed % 3;
    request.classes = 2 + seed % 3;
    request.member_says =
        random_says(one.list.size(), request.members, request.classes, shape, generator);
    if (seed % 4 == 0) return;
    request.centers = {one.list.features.begin(), one.list.features.begin() + 4 * one.list.dim};
    request.center_says = random_says(4, request.members, request.classes, shape, generator);
}

inline Case random_case(unsigned seed) {
    std::mt19937 generator(seed);
    Case result{clustered(24, 2 + seed % 2, seed), {"bait_classes", 3}};
    result.request.parameters.sigma = seed % 2 == 0 ? 1.0 : 0.3;
    add_members(result, seed, 1.0F, generator);
    return result;
}

inline std::vector<double> mean_of(const std::vector<float>& says, std::int64_t row,
                                   const RuleRequest& request) {
    const auto floats = static_cast<std::size_t>(request.members * request.classes);
    return select::mean_probabilities(
        std::span(says).subspan(static_cast<std::size_t>(row) * floats, floats), request.members);
}

// What FIRAL optimises, from dense matrices.
struct Ratio {
    std::vector<Matrix> terms;  // of the rows
    Matrix known;
    Matrix wanted;
};

inline Ratio ratio_of(const Case& one) {
    const WholeShortlist& list = one.list;
    const std::int64_t size = list.dim * one.request.classes;
    Ratio ratio{{}, Matrix(size, size), Matrix(size, size)};
    for (std::int64_t i = 0; i < list.size(); ++i) {
        ratio.terms.push_back(
            information_of(list.at(i), list.dim, mean_of(one.request.member_says, i, one.request)));
        add_to(ratio.wanted, ratio.terms.back(), 1.0 / static_cast<double>(list.size()));
    }
    for (std::int64_t i = 0; i < std::ssize(one.request.centers) / list.dim; ++i) {
        add_to(ratio.known, information_of(one.request.centers.data() + i * list.dim, list.dim,
                                           mean_of(one.request.center_says, i, one.request)));
    }
    const double sigma = one.request.parameters.sigma;
    for (std::int64_t i = 0; i < size; ++i)
        ratio.known.row(i)[i] += sigma * sigma;
    return ratio;
}

inline Matrix weighted(const Ratio& ratio, const std::vector<double>& weights) {
    Matrix sum = ratio.known;
    for (std::size_t i = 0; i < weights.size(); ++i)
        add_to(sum, ratio.terms[i], weights[i]);
    return sum;
}

inline double trace_with(const Matrix& a, const Matrix& b) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < a.rows; ++i)
        for (std::int64_t k = 0; k < a.rows; ++k)
            sum += a.row(i)[k] * b.row(k)[i];
    return sum;
}

// Least trace over the simplex times `picks`, by Frank and Wolfe's steps with exact line searches
// on a grid: another way than the rule's.
inline double least_ratio(const Ratio& ratio, double picks) {
    std::vector<double> weights(ratio.terms.size(),
                                picks / static_cast<double>(ratio.terms.size()));
    double best = trace_of(weighted(ratio, weights), ratio.wanted);
    for (int step = 0; step < 80; ++step) {
        const Matrix inverse = select::inverse_of(weighted(ratio, weights));
        const Matrix slope = select::product(select::product(inverse, ratio.wanted), inverse);
        std::size_t steepest = 0;
        double most = -1.0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const double one = trace_with(ratio.terms[i], slope);
            if (one > most) most = one, steepest = i;
        }
        std::vector<double> kept = weights;
        for (const double part : {0.3, 0.1, 0.03, 0.01, 0.003, 0.001}) {
            std::vector<double> there = weights;
            for (double& weight : there)
                weight *= 1.0 - part;
            there[steepest] += part * picks;
            const double value = trace_of(weighted(ratio, there), ratio.wanted);
            if (value < best) best = value, kept = there;
        }
        weights = kept;
    }
    return best;
}

}  // namespace sluice::test
