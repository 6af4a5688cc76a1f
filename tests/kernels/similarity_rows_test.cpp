#include "kernels/similarity_rows.hpp"

#include "kernels/canonical_math.hpp"
#include "kernels/nearest_center.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace sluice::kernels {
namespace {

std::vector<float> normals(std::int64_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values)
        value = normal(generator);
    return values;
}

TEST(SimilarityRows, exponentials_are_the_canonical_ones) {
    for (const std::int64_t count : {0, 1, 15, 16, 37}) {
        std::vector<float> values = normals(count, 1);
        if (count > 3) values[3] = std::numeric_limits<float>::infinity();
        const std::vector<float> before = values;
        exponentials(values, -0.7F);
        for (std::size_t i = 0; i < values.size(); ++i) {
            EXPECT_EQ(std::bit_cast<std::uint32_t>(values[i]),
                      std::bit_cast<std::uint32_t>(canonical_exp(before[i] / -0.7F)));
        }
    }
}

TEST(SimilarityRows, what_is_not_covered_adds_up_in_four_chains) {
    for (const std::int64_t count : {0, 3, 4, 22, 101}) {
        const std::vector<float> similar = normals(count, 2);
        const std::vector<float> covered = normals(count, 3);
        std::vector<double> weights;
        for (std::int64_t i = 0; i < count; ++i)
            weights.push_back(0.1 * static_cast<double>(i % 7));
        double sums[4] = {};
        for (std::size_t i = 0; i < similar.size(); ++i) {
            sums[i % 4] += weights[i] * std::max(0.0, double{similar[i]} - double{covered[i]});
        }
        EXPECT_EQ(uncovered_sum(similar, covered, weights),
                  (sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
}

TEST(SimilarityRows, sums_of_some_rows_are_those_of_each) {
    for (const std::int64_t count : {3, 4, 22, 101}) {
        for (const std::int64_t num_rows : {0, 1, 4, 7}) {
            const std::vector<float> similar = normals(num_rows * count, 2);
            const std::vector<float> covered = normals(count, 3);
            const std::vector<double> weights(covered.size(), 0.3);
            std::vector<double> sums(static_cast<std::size_t>(num_rows), -1.0);
            uncovered_sums(similar, covered, weights, sums);
            for (std::size_t row = 0; row < sums.size(); ++row) {
                const auto own = std::span(similar).subspan(row * covered.size(), covered.size());
                EXPECT_EQ(sums[row], uncovered_sum(own, covered, weights)) << row;
            }
        }
    }
}

TEST(SimilarityRows, marks_what_is_not_covered_beside_the_same_sum) {
    for (const std::int64_t count : {0, 5, 64, 67, 300}) {
        const std::vector<float> similar = normals(count, 2);
        std::vector<float> covered = normals(count, 3);
        const std::vector<double> weights(covered.size(), 0.3);
        if (count > 2) covered[2] = similar[2];  // as well as this, no better
        std::vector<std::uint64_t> above((covered.size() + 63) / 64, ~std::uint64_t{0});
        const Uncovered marked = mark_uncovered(similar, covered, weights, above);
        EXPECT_EQ(marked.sum, uncovered_sum(similar, covered, weights));
        std::int64_t numbers[4] = {};
        for (std::size_t i = 0; i < covered.size(); ++i)
            numbers[i % 4] += similar[i] > covered[i] ? 1 : 0;
        EXPECT_EQ(marked.longest_chain, *std::max_element(numbers, numbers + 4));
        for (std::size_t i = 0; i < 64 * above.size(); ++i) {
            EXPECT_EQ((above[i / 64] >> (i % 64)) & 1U,
                      std::uint64_t{i < covered.size() && similar[i] > covered[i]})
                << i << " of " << count;
        }
    }
}

TEST(SimilarityRows, distances_of_packed_rows_are_the_canonical_ones) {
    for (const std::int64_t num_rows : {1, 16, 50, 131}) {
        constexpr std::int64_t dim = 9;
        constexpr std::int64_t num_centers = 19;
        std::vector<float> rows = normals(num_rows * dim, 4);
        const std::vector<float> centers = normals(num_centers * dim, 5);
        rows[0] = 1e30F;  // at no finite distance from anything
        std::vector<std::int64_t> picked(static_cast<std::size_t>(num_rows));
        std::iota(picked.rbegin(), picked.rend(), std::int64_t{0});
        const PackedRows packed({rows.data(), num_rows, dim}, picked);
        for (const std::int64_t first : {0, 32}) {
            std::vector<float> out(static_cast<std::size_t>(num_centers * num_rows), -1.0F);
            if (first >= num_rows) continue;
            packed.distances({centers.data(), num_centers, dim}, {first, num_rows}, out.data(),
                             num_rows);
            for (std::int64_t c = 0; c < num_centers; ++c) {
                for (std::int64_t i = first; i < num_rows; ++i) {
                    const float* const row =
                        rows.data() + picked[static_cast<std::size_t>(i)] * dim;
                    EXPECT_EQ(out[static_cast<std::size_t>(c * num_rows + i - first)],
                              squared_distance(row, centers.data() + c * dim, dim));
                }
            }
        }
    }
}

}  // namespace
}  // namespace sluice::kernels
