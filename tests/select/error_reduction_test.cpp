#include "core/error.hpp"
#include "select/fisher_cases.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

// Everything here is dense, in float64 and straight from the definitions.

namespace sluice::select {
namespace {

using Values = std::vector<double>;

using test::Case;

std::size_t dim_of(const Case& one) {
    return static_cast<std::size_t>(one.list.dim);
}

std::size_t classes_of(const Case& one) {
    return static_cast<std::size_t>(one.request.classes);
}

Case random_case(unsigned seed) {
    std::mt19937 generator(seed);
    Case result{test::clustered(30, 2 + seed % 3, seed), {"error_reduction", 5}};
    result.request.parameters.sigma = seed % 2 == 0 ? 1.0 : 0.5;
    test::add_members(result, seed, 0.7F, generator);
    return result;
}

Values mean_of(const std::vector<float>& says, std::int64_t row, const Case& one) {
    Values mean(classes_of(one), 0.0);
    double sum = 0.0;
    for (std::int64_t m = 0; m < one.request.members; ++m)
        for (std::size_t c = 0; c < mean.size(); ++c)
            mean[c] += static_cast<double>(
                says[static_cast<std::size_t>(row * one.request.members + m) * mean.size() + c]);
    for (const double value : mean)
        sum += value;
    for (double& value : mean)
        value /= sum;
    return mean;
}

// Hessian of the negative log-likelihood of a softmax layer, [D C, D C] row-major.
void add_hessian(const float* x, const Values& p, std::size_t dim, Values& sum) {
    const std::size_t classes = p.size();
    const std::size_t size = dim * classes;
    for (std::size_t i = 0; i < size; ++i)
        for (std::size_t k = 0; k < size; ++k) {
            const std::size_t c = i % classes;
            const std::size_t e = k % classes;
            sum[i * size + k] += static_cast<double>(x[i / classes]) *
                                 static_cast<double>(x[k / classes]) *
                                 ((c == e ? p[c] : 0.0) - p[c] * p[e]);
        }
}

// Gauss-Jordan with pivots.
Values solved(Values matrix, Values right) {
    const std::size_t size = right.size();
    for (std::size_t i = 0; i < size; ++i) {
        std::size_t pivot = i;
        for (std::size_t k = i; k < size; ++k)
            if (std::abs(matrix[k * size + i]) > std::abs(matrix[pivot * size + i])) pivot = k;
        for (std::size_t k = 0; k < size; ++k)
            std::swap(matrix[i * size + k], matrix[pivot * size + k]);
        std::swap(right[i], right[pivot]);
        for (std::size_t k = 0; k < size; ++k) {
            if (k == i) continue;
            const double factor = matrix[k * size + i] / matrix[i * size + i];
            for (std::size_t j = i; j < size; ++j)
                matrix[k * size + j] -= factor * matrix[i * size + j];
            right[k] -= factor * right[i];
        }
    }
    for (std::size_t i = 0; i < size; ++i)
        right[i] /= matrix[i * size + i];
    return right;
}

double entropy(const Values& p) {
    double sum = 0.0;
    for (const double one : p)
        sum -= one > 0.0 ? one * std::log(one) : 0.0;
    return sum;
}

Values softmax_of(const Values& logits) {
    Values p;
    double sum = 0.0;
    for (const double logit : logits) {
        p.push_back(std::exp(logit));
        sum += p.back();
    }
    for (double& one : p)
        one /= sum;
    return p;
}

// A layer's mean entropy over the list when its weights move by `step`.
double mean_entropy(const Case& one, const Values& step) {
    double sum = 0.0;
    for (std::int64_t u = 0; u < one.list.size(); ++u) {
        Values logits = mean_of(one.request.member_says, u, one);
        for (double& p : logits)
            p = std::log(p);
        for (std::size_t d = 0; d < dim_of(one); ++d)
            for (std::size_t c = 0; c < classes_of(one); ++c)
                logits[c] += static_cast<double>(one.list.at(u)[d]) * step[d * classes_of(one) + c];
        sum += entropy(softmax_of(logits));
    }
    return sum / static_cast<double>(one.list.size());
}

// The Newton step with the dense Hessian of centres, prior and the row itself.
double reduction_of(const Case& one, std::int64_t row) {
    const std::size_t size = dim_of(one) * classes_of(one);
    Values hessian(size * size, 0.0);
    for (std::size_t i = 0; i < size; ++i)
        hessian[i * size + i] = one.request.parameters.sigma * one.request.parameters.sigma;
    for (std::int64_t i = 0; i < std::ssize(one.request.centers) / one.list.dim; ++i)
        add_hessian(one.request.centers.data() + i * one.list.dim,
                    mean_of(one.request.center_says, i, one), dim_of(one), hessian);
    const Values p = mean_of(one.request.member_says, row, one);
    add_hessian(one.list.at(row), p, dim_of(one), hessian);
    double reduction = mean_entropy(one, Values(size, 0.0));
    for (std::size_t label = 0; label < classes_of(one); ++label) {
        Values gradient(size);
        for (std::size_t i = 0; i < size; ++i) {
            const std::size_t c = i % classes_of(one);
            gradient[i] = static_cast<double>(one.list.at(row)[i / classes_of(one)]) *
                          ((c == label ? 1.0 : 0.0) - p[c]);
        }
        reduction -= p[label] * mean_entropy(one, solved(hessian, gradient));
    }
    return reduction;
}

TEST(ErrorReduction, agrees_with_dense_newton_steps_for_every_row_and_label) {
    for (unsigned pool = 0; pool < 12; ++pool) {
        SCOPED_TRACE(pool);
        const Case one = random_case(pool);
        std::vector<std::pair<double, RowId>> expected;
        for (std::int64_t i = 0; i < one.list.size(); ++i)
            expected.emplace_back(-reduction_of(one, i), one.list.row(i));
        std::sort(expected.begin(), expected.end());

        const DiverseBatch batch = test::run_rule(one.list, one.request, test::Split::interleaved);

        ASSERT_EQ(batch.picks.size(), 5U);
        for (std::size_t i = 0; i < batch.picks.size(); ++i) {
            EXPECT_EQ(batch.picks[i].row, expected[i].second) << i;
            EXPECT_NEAR(batch.picks[i].value, -expected[i].first, 2e-6) << i;
        }
    }
}

TEST(ErrorReduction, keeps_the_contract) {
    test::expect_contract(random_case(1).list, random_case(1).request);
    test::expect_contract(random_case(6).list, random_case(6).request);
}

// A row of known class teaches nothing; one that stands for many unsure rows teaches most.
TEST(ErrorReduction, asks_where_many_unsure_rows_lie) {
    Case one{test::clustered(12, 2, 3), {"error_reduction", 1}};
    one.request.members = 1;
    one.request.classes = 2;
    for (std::int64_t i = 0; i < 12; ++i) {
        const bool is_many = i < 9;
        one.list.features[static_cast<std::size_t>(2 * i)] = is_many ? 1.0F : 0.0F;
        one.list.features[static_cast<std::size_t>(2 * i + 1)] = is_many ? 0.0F : 1.0F;
        const float sure = i == 4 ? 0.999F : 0.5F;
        one.request.member_says.push_back(sure);
        one.request.member_says.push_back(1.0F - sure);
    }

    const DiverseBatch batch = test::run_rule(one.list, one.request, test::Split::contiguous);

    const std::int64_t place = one.list.position(batch.picks[0].row);
    EXPECT_LT(place, 9);
    EXPECT_NE(place, 4);
}

TEST(ErrorReduction, refuses_more_work_than_it_says) {
    DiversitySizes sizes;
    sizes.dim = 200;
    sizes.classes = 10;
    sizes.shortlist_rows = sizes.share_rows = 100;
    EXPECT_THROW(find_diversity("error_reduction").forecast(sizes), Error);
    sizes.dim = 64;
    EXPECT_NO_THROW(find_diversity("error_reduction").forecast(sizes));
    sizes.shortlist_rows = sizes.share_rows = 100'000;
    EXPECT_THROW(find_diversity("error_reduction").forecast(sizes), Error);
}

}  // namespace
}  // namespace sluice::select
