#include "kernels/near_pairs.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace sluice::kernels {
namespace {

struct Matrix {
    std::vector<float> values;
    std::int64_t rows = 0;
    std::int64_t dim = 0;

    MatrixView view() const { return {values.data(), rows, dim}; }
};

Matrix normals(std::int64_t rows, std::int64_t dim, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    Matrix matrix{std::vector<float>(static_cast<std::size_t>(rows * dim)), rows, dim};
    for (float& value : matrix.values)
        value = normal(generator);
    return matrix;
}

using Found = std::map<std::pair<std::int32_t, std::int32_t>, float>;

Found found_by_pairs(const Matrix& rows, const Matrix& queries, const std::vector<float>& limits) {
    std::vector<NearPair> pairs;
    append_near_pairs(rows.view(), queries.view(), limits, pairs);
    Found found;
    for (const NearPair& pair : pairs)
        EXPECT_TRUE(found.insert({{pair.row, pair.query}, pair.squared}).second);
    return found;
}

Found found_one_by_one(const Matrix& rows, const Matrix& queries,
                       const std::vector<float>& limits) {
    Found found;
    for (std::int32_t i = 0; i < rows.rows; ++i) {
        for (std::int32_t j = 0; j < queries.rows; ++j) {
            float squared = 0.0F;
            for (std::int64_t k = 0; k < rows.dim; ++k) {
                const float difference = rows.view().row(i)[k] - queries.view().row(j)[k];
                squared = std::fma(difference, difference, squared);
            }
            if (squared < limits[static_cast<std::size_t>(j)]) found[{i, j}] = squared;
        }
    }
    return found;
}

TEST(NearPairs, are_those_below_the_limits_bit_for_bit) {
    for (const std::int64_t dim : {1, 3, 64, 130}) {
        for (const std::int64_t num_rows : {1, 15, 16, 31, 48, 49, 101}) {
            for (const std::int64_t num_queries : {1, 7, 8, 9, 21}) {
                const Matrix rows = normals(num_rows, dim, 1);
                const Matrix queries = normals(num_queries, dim, 2);
                std::vector<float> limits;
                for (std::int64_t j = 0; j < num_queries; ++j)
                    limits.push_back(static_cast<float>(dim) * (j % 3 == 0 ? 1.5F : 2.1F));
                limits[0] = std::numeric_limits<float>::infinity();
                const Found found = found_by_pairs(rows, queries, limits);
                EXPECT_EQ(found, found_one_by_one(rows, queries, limits));
                EXPECT_GE(found.size(), static_cast<std::size_t>(num_rows));
            }
        }
    }
}

TEST(NearPairs, stay_below_the_limit_and_pass_over_what_is_no_number) {
    const Matrix rows{{0.0F, 2.0F, std::nanf("")}, 3, 1};
    const Matrix queries{{1.0F, 1.0F}, 2, 1};
    EXPECT_TRUE(found_by_pairs(rows, queries, {1.0F, 0.5F}).empty());
    const Found found = found_by_pairs(rows, queries, {std::nextafter(1.0F, 2.0F), 0.0F});
    EXPECT_EQ(found, (Found{{{0, 0}, 1.0F}, {{1, 0}, 1.0F}}));
}

TEST(NearPairs, refuse_what_does_not_fit) {
    const Matrix rows = normals(2, 3, 1);
    std::vector<NearPair> pairs;
    EXPECT_THROW(
        append_near_pairs(rows.view(), normals(2, 4, 2).view(), std::vector<float>(2), pairs),
        Error);
    EXPECT_THROW(append_near_pairs(rows.view(), rows.view(), std::vector<float>(1), pairs), Error);
}

}  // namespace
}  // namespace sluice::kernels
