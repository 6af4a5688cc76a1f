#include "kernels/square_bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace sluice::kernels {
namespace {

std::vector<float> normal_floats(std::int64_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<std::size_t>(count));
    std::generate(values.begin(), values.end(), [&] { return normal(generator); });
    return values;
}

double product(const float* x, const float* y, std::int64_t dim) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < dim; ++k)
        sum += double{x[k]} * double{y[k]};
    return sum;
}

// Rows and vectors of a tile and what add_squares makes of them.
struct Tile {
    std::int64_t dim;
    std::int64_t num_rows;
    int count;
    std::vector<float> rows;
    std::vector<float> vectors;
    std::vector<float> lengths;
    std::vector<float> errors;
    std::vector<float> seen;
    std::vector<float> least;
    std::vector<float> likely;

    Tile(std::int64_t width, int num_panels, int num_vectors)
        : dim(width),
          num_rows(num_panels * squares_panel),
          count(num_vectors),
          rows(normal_floats(num_rows * dim, 5)),
          vectors(normal_floats(count * dim, 6)),
          seen(static_cast<std::size_t>(num_rows), 0.0F),
          least(seen),
          likely(seen) {
        for (int v = 0; v < count; ++v)
            lengths.push_back(length_of(vectors.data() + v * dim));
        for (std::int64_t j = 0; j < num_rows; ++j) {
            errors.push_back(static_cast<float>(product_error(dim, 0) * (1.0 + 1e-6)) *
                             length_of(rows.data() + j * dim));
        }
    }

    float length_of(const float* x) const {
        return static_cast<float>(std::sqrt(product(x, x, dim)) * (1.0 + 1e-6));
    }

    void add(std::int64_t first) {
        std::vector<std::int64_t> picked(static_cast<std::size_t>(num_rows));
        std::iota(picked.begin(), picked.end(), std::int64_t{0});
        std::vector<float> panels(rows.size());
        pack_squares({rows.data(), num_rows, dim}, picked, panels.data());
        add_squares({panels.data(), static_cast<int>(num_rows / squares_panel), dim, errors.data(),
                     seen.data(), least.data(), likely.data()},
                    {vectors.data(), lengths.data(), first, count});
    }
};

TEST(SquareBounds, add_up_the_squares_of_every_tile) {
    for (const std::int64_t dim : {1, 7, 8, 33, 100}) {
        for (int panels = 1; panels <= squares_tile().panels; ++panels) {
            for (int count = 1; count <= squares_tile().vectors; ++count) {
                Tile tile(dim, panels, count);
                tile.add(0);
                for (std::int64_t j = 0; j < tile.num_rows; ++j) {
                    double sum = 0.0;
                    for (int v = 0; v < count; ++v) {
                        const double one =
                            product(tile.rows.data() + j * dim, tile.vectors.data() + v * dim, dim);
                        sum += one * one;
                    }
                    const auto at = static_cast<std::size_t>(j);
                    EXPECT_NEAR(tile.likely[at], sum, 1e-5 * sum + 1e-5);
                    EXPECT_NEAR(tile.least[at], sum, 1e-3 * sum + 1e-3);
                    EXPECT_LE(double{tile.least[at]}, sum * (1.0 + 20.0 * 6e-8));
                }
            }
        }
    }
}

TEST(SquareBounds, rows_leave_out_the_vectors_that_they_have_seen) {
    Tile tile(20, 1, 1);
    for (std::size_t j = 0; j < tile.seen.size(); ++j)
        tile.seen[j] = static_cast<float>(j);
    tile.add(7);
    for (std::size_t j = 0; j < tile.seen.size(); ++j)
        EXPECT_EQ(tile.likely[j] > 0.0F, j <= 7) << j;
}

TEST(SquareBounds, what_rounding_leaves_is_no_square_for_certain) {
    // Rows at a right angle to the vector.
    constexpr std::int64_t dim = 64;
    Tile tile(dim, 1, 1);
    for (std::int64_t j = 0; j < tile.num_rows; ++j) {
        float* const row = tile.rows.data() + j * dim;
        for (std::int64_t k = 0; k < dim; k += 2) {
            const float scale = row[k] > 0.0F ? 1024.0F : 512.0F;
            row[k] = scale * tile.vectors[static_cast<std::size_t>(k + 1)];
            row[k + 1] = -scale * tile.vectors[static_cast<std::size_t>(k)];
        }
        tile.errors[static_cast<std::size_t>(j)] =
            static_cast<float>(product_error(dim, 0) * (1.0 + 1e-6)) * tile.length_of(row);
    }
    tile.add(0);
    for (std::size_t j = 0; j < tile.least.size(); ++j)
        EXPECT_EQ(tile.least[j], 0.0F) << j;
}

TEST(SquareBounds, what_is_not_a_number_is_no_square_for_certain) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    Tile tile(3, 1, 1);
    tile.errors[0] = infinity;
    tile.rows[3] = std::numeric_limits<float>::quiet_NaN();
    tile.add(0);
    EXPECT_EQ(tile.least[0], 0.0F);
    EXPECT_EQ(tile.least[1], 0.0F);
    EXPECT_GT(tile.least[2], 0.0F);
}

TEST(SquareBounds, errors_grow_with_the_chains) {
    EXPECT_GT(product_error(1, 0), 1.7e-7);
    EXPECT_LT(product_error(256, 0), 3e-6);
    EXPECT_GT(product_error(256, 0), product_error(32, 0));
    EXPECT_EQ(product_error(std::int64_t{1} << 30, 0), std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace sluice::kernels
