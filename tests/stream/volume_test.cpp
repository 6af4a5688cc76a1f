#include "stream/volume.hpp"

#include "core/error.hpp"
#include "stream/policy.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>
#include <vector>

namespace sluice::stream {
namespace {

using Row = std::vector<double>;
using Matrix = std::vector<Row>;

// By Gauss and Jordan with pivots.
Matrix inverse_of(Matrix a) {
    const std::size_t d = a.size();
    for (std::size_t i = 0; i < d; ++i) {
        a[i].resize(2 * d, 0.0);
        a[i][d + i] = 1.0;
    }
    for (std::size_t k = 0; k < d; ++k) {
        std::size_t pivot = k;
        for (std::size_t i = k + 1; i < d; ++i)
            if (std::fabs(a[i][k]) > std::fabs(a[pivot][k])) pivot = i;
        std::swap(a[k], a[pivot]);
        const double scale = 1.0 / a[k][k];
        for (double& value : a[k])
            value *= scale;
        for (std::size_t i = 0; i < d; ++i) {
            const double factor = i == k ? 0.0 : a[i][k];
            for (std::size_t c = 0; c < 2 * d; ++c)
                a[i][c] -= factor * a[k][c];
        }
    }
    for (Row& row : a)
        row.erase(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(d));
    return a;
}

double form(const Row& x, const Matrix& a) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i)
        for (std::size_t k = 0; k < x.size(); ++k)
            sum += x[i] * a[i][k] * x[k];
    return sum;
}

std::vector<Row> made_rows(std::size_t count, std::size_t dim) {
    std::mt19937_64 random(2);
    std::normal_distribution<double> normal;
    std::vector<Row> rows(count, Row(dim));
    for (Row& row : rows)
        for (std::size_t k = 0; k < dim; ++k)
            row[k] = normal(random) * (k == 0 ? 3.0 : 1.0);
    return rows;
}

TEST(Volume, gains_are_those_of_a_matrix_inverted_anew) {
    constexpr std::size_t dim = 5;
    constexpr double ridge = 0.1;
    StreamState state;
    Matrix sum(dim, Row(dim, 0.0));
    for (std::size_t k = 0; k < dim; ++k)
        sum[k][k] = ridge;
    const std::vector<Row> rows = made_rows(60, dim);
    for (std::size_t t = 0; t < rows.size(); ++t) {
        const Matrix inverse = inverse_of(sum);
        double mean = 0.0;
        for (std::size_t i = 0; i <= t; ++i)
            mean += form(rows[i], inverse) / static_cast<double>(t + 1);
        EXPECT_NEAR(relative_gain(rows[t], ridge, state), form(rows[t], inverse) / mean, 1e-9);
        ++state.seen;
        if (t % 3 != 0) continue;
        add_to_volume(rows[t], state);
        for (std::size_t i = 0; i < dim; ++i)
            for (std::size_t k = 0; k < dim; ++k)
                sum[i][k] += rows[t][i] * rows[t][k];
    }
    const Matrix inverse = inverse_of(sum);
    for (std::size_t i = 0; i < dim; ++i)
        for (std::size_t k = 0; k < dim; ++k)
            EXPECT_NEAR(state.inverse[i * dim + k], inverse[i][k], 1e-9);
}

TEST(Volume, what_is_asked_for_comes_to_the_budget) {
    for (const double budget : {0.05, 0.2}) {
        PolicyOptions options;
        options.policy = "volume";
        options.budget = budget;
        StreamState state = initial_state(options);
        const std::vector<Row> rows = made_rows(30'000, 4);
        for (const Row& row : rows)
            decide(options, {0.0, row}, state);
        const double share = static_cast<double>(state.asked) / static_cast<double>(state.seen);
        EXPECT_NEAR(share, budget, 0.01 * budget);
    }
}

TEST(Volume, new_directions_are_likelier) {
    PolicyOptions options;
    options.policy = "volume";
    StreamState state = initial_state(options);
    for (int i = 0; i < 500; ++i)
        decide(options, {0.0, {1.0, 0.01 * (i % 3)}}, state);
    StreamState same = state;
    const double usual = decide(options, {0.0, {1.0, 0.01}}, same).bound;
    EXPECT_GT(decide(options, {0.0, {0.0, 1.0}}, state).bound, 5.0 * usual);
}

TEST(Volume, nothing_but_zeros_and_other_dimensions) {
    StreamState state;
    EXPECT_EQ(relative_gain(Row{0.0, 0.0}, 1.0, state), 1.0);
    test::expect_error(ExitCode::bad_data, "has 3 dimensions, those before 2", [&] {
        relative_gain(Row{1.0, 2.0, 3.0}, 1.0, state);
    });
    StreamState empty;
    test::expect_error(ExitCode::bad_data, "an item has 0 dimensions",
                       [&] { relative_gain(Row{}, 1.0, empty); });
}

}  // namespace
}  // namespace sluice::stream
