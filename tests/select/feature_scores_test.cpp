// Scores of features of a whole pool against their definitions in float64.
#include "pool_scores.hpp"

#include <algorithm>

namespace sluice::select {
namespace {

using test::ScoredRows;
using test::Vector;

double dot(const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double distance(const Vector& a, const Vector& b) {
    double squares = 0.0;
    for (std::size_t k = 0; k < a.size(); ++k)
        squares += (a[k] - b[k]) * (a[k] - b[k]);
    return std::sqrt(squares);
}

// Solves matrix x = right by elimination with pivoting.
Vector solved(std::vector<Vector> matrix, Vector right) {
    const std::size_t size = right.size();
    for (std::size_t j = 0; j < size; ++j) {
        std::size_t pivot = j;
        for (std::size_t i = j; i < size; ++i)
            if (std::abs(matrix[i][j]) > std::abs(matrix[pivot][j])) pivot = i;
        std::swap(matrix[j], matrix[pivot]);
        std::swap(right[j], right[pivot]);
        for (std::size_t i = j + 1; i < size; ++i) {
            const double factor = matrix[i][j] / matrix[j][j];
            for (std::size_t k = j; k < size; ++k)
                matrix[i][k] -= factor * matrix[j][k];
            right[i] -= factor * right[j];
        }
    }
    for (std::size_t j = size; j-- > 0;) {
        for (std::size_t k = j + 1; k < size; ++k)
            right[j] -= matrix[j][k] * right[k];
        right[j] /= matrix[j][j];
    }
    return right;
}

using FeatureScores = test::PoolScores;

TEST_F(FeatureScores, feature_norm) {
    expect_scores("feature_norm",
                  [&](RowId row) { return std::sqrt(dot(features(row), features(row))); });
}

TEST_F(FeatureScores, information_density_is_the_mean_cosine) {
    expect_scores(
        "information_density",
        [&](RowId row) {
            const Vector x = features(row);
            double sum = 0.0;
            for (RowId other = 0; other < ScoredRows::rows; ++other) {
                const Vector y = features(other);
                sum += dot(x, y) / std::sqrt(dot(x, x) * dot(y, y));
            }
            return sum / static_cast<double>(ScoredRows::rows);
        },
        1e-6, 1e-8);
}

TEST_F(FeatureScores, knn_density_and_sparsity_of_a_small_pool_are_exact) {
    const auto mean_distance = [&](RowId row) {
        Vector distances;
        for (RowId other = 0; other < ScoredRows::rows; ++other)
            if (other != row) distances.push_back(distance(features(row), features(other)));
        std::sort(distances.begin(), distances.end());
        return std::accumulate(distances.begin(), distances.begin() + 20, 0.0) / 20;
    };
    expect_scores("knn_sparsity", mean_distance);
    expect_scores("knn_density", [&](RowId row) { return 1.0 / mean_distance(row); });
}

// The variance in its other form, from the kernel matrix of the labeled rows.
TEST_F(FeatureScores, posterior_variance_is_that_of_a_gaussian_process) {
    const std::vector<RowId> labeled = test::taken_rows().centers;
    double squares = 0.0;
    for (const RowId row : labeled)
        squares += dot(features(row), features(row));
    const double noise =
        1e-3 * squares / static_cast<double>(ScoredRows::dim * std::ssize(labeled));
    std::vector<Vector> kernel;
    for (const RowId a : labeled) {
        Vector row;
        for (const RowId b : labeled)
            row.push_back(dot(features(a), features(b)) + (a == b ? noise : 0.0));
        kernel.push_back(row);
    }
    expect_scores("posterior_variance", [&](RowId row) {
        const Vector x = features(row);
        Vector to_labeled;
        for (const RowId other : labeled)
            to_labeled.push_back(dot(x, features(other)));
        return dot(x, x) - dot(to_labeled, solved(kernel, to_labeled));
    });
}

TEST_F(FeatureScores, posterior_variance_without_labels_is_the_prior) {
    for (const auto& [row, score] : scores_of(request_of("posterior_variance"), {}))
        EXPECT_NEAR(score, dot(features(row), features(row)), 1e-5);
}

// Refitted with each candidate: what its label takes from the mean variance over all rows.
TEST_F(FeatureScores, expected_error_reduction_is_that_of_a_refitted_model) {
    const std::vector<RowId> labeled = test::taken_rows().centers;
    std::vector<Vector> precision(ScoredRows::dim, Vector(ScoredRows::dim, 0.0));
    const auto add = [&](const Vector& x, double sign) {
        for (std::size_t i = 0; i < x.size(); ++i)
            for (std::size_t k = 0; k < x.size(); ++k)
                precision[i][k] += sign * x[i] * x[k];
    };
    double squares = 0.0;
    for (const RowId row : labeled) {
        add(features(row), 1.0);
        squares += dot(features(row), features(row));
    }
    const double noise =
        1e-3 * squares / static_cast<double>(ScoredRows::dim * std::ssize(labeled));
    for (std::size_t i = 0; i < precision.size(); ++i)
        precision[i][i] += noise;
    const auto mean_variance = [&] {
        double sum = 0.0;
        for (RowId row = 0; row < ScoredRows::rows; ++row)
            sum += noise * dot(features(row), solved(precision, features(row)));
        return sum / static_cast<double>(ScoredRows::rows);
    };
    const double before = mean_variance();
    expect_scores(
        "eer",
        [&](RowId row) {
            add(features(row), 1.0);
            const double after = mean_variance();
            add(features(row), -1.0);
            return before - after;
        },
        1e-6, 1e-12);
}

// Some set of labeled rows in which no labeled row has a coefficient beyond 1.001 explains all
// scores: found here by trying every set.
TEST_F(FeatureScores, extrapolation_grade_is_of_a_dominant_set) {
    for (RowId shift = 0; shift < 24; ++shift) {
        SCOPED_TRACE(shift);
        TakenRows taken;
        for (const RowId step : {0, 3, 6, 11, 19, 24, 25, 30, 31})
            taken.centers.push_back(shift + step);
        const auto scores = scores_of(request_of("gamma"), taken);
        const auto size = taken.centers.size();
        int num_matches = 0;
        for (unsigned set = 0; set < (1U << size); ++set) {
            if (__builtin_popcount(set) != ScoredRows::dim) continue;
            std::vector<Vector> transposed(ScoredRows::dim);
            for (std::size_t i = 0; i < size; ++i)
                if ((set >> i & 1U) != 0)
                    for (std::size_t k = 0; k < transposed.size(); ++k)
                        transposed[k].push_back(features(taken.centers[i])[k]);
            const auto grade = [&](RowId row) {
                double most = 0.0;
                for (const double c : solved(transposed, features(row)))
                    most = std::max(most, std::abs(c));
                return most;
            };
            const bool is_dominant =
                std::all_of(taken.centers.begin(), taken.centers.end(),
                            [&](RowId row) { return grade(row) <= 1.0010001; });
            if (!is_dominant) continue;
            num_matches += std::all_of(scores.begin(), scores.end(), [&](const auto& one) {
                return std::abs(one.second - grade(one.first)) <= 1e-6 * one.second;
            });
        }
        EXPECT_GE(num_matches, 1);
    }
}

TEST_F(FeatureScores, expected_gradient_length_is_that_of_every_label_by_hand) {
    const std::vector<float> p = test::softmax_of(rows_.logits, ScoredRows::classes);
    expect_scores("egl", [&](RowId row) {
        const Vector x = features(row);
        const Vector said = part(p, row, ScoredRows::classes);
        double expected = 0.0;
        for (std::size_t y = 0; y < said.size(); ++y) {
            double squares = 0.0;  // of the gradient's entries, [C, D]
            for (std::size_t c = 0; c < said.size(); ++c)
                for (const double value : x)
                    squares += std::pow((said[c] - (c == y ? 1.0 : 0.0)) * value, 2);
            expected += said[y] * std::sqrt(squares);
        }
        return expected;
    });
}

TEST_F(FeatureScores, emcm_is_the_mean_change_over_members) {
    expect_scores("emcm", [&](RowId row) {
        const Vector said = part(rows_.predictions, row, ScoredRows::members);
        const double mean = (said[0] + said[1] + said[2]) / 3;
        double sum = 0.0;
        for (const double f : said)
            sum += std::abs(mean - f) * std::sqrt(dot(features(row), features(row)));
        return sum / 3;
    });
}

}  // namespace
}  // namespace sluice::select
