#include "kernels/nearest_center.hpp"

#include "kernels/nearest_center_cpu.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace sluice::kernels {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<float> gaussian(std::int64_t count, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.5F, 2.0F);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values)
        value = normal(generator);
    return values;
}

// The definition, written down once more.
float plain_distance(const float* x, const float* y, std::int64_t dim) {
    float sum = 0.0F;
    for (std::int64_t k = 0; k < dim; ++k)
        sum = std::fma(x[k] - y[k], x[k] - y[k], sum);
    return sum;
}

std::vector<float> plain_nearest(MatrixView rows, MatrixView centers, std::vector<float> nearest) {
    for (std::int64_t i = 0; i < rows.rows; ++i) {
        for (std::int64_t j = 0; j < centers.rows; ++j) {
            const float distance = plain_distance(rows.row(i), centers.row(j), rows.dim);
            nearest[static_cast<std::size_t>(i)] =
                std::min(nearest[static_cast<std::size_t>(i)], distance);
        }
    }
    return nearest;
}

std::vector<const NearestCenterTiles*> all_tiles() {
    std::vector<const NearestCenterTiles*> all{&nearest_center_tiles_baseline()};
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        all.push_back(&nearest_center_tiles_avx2());
    }
    if (__builtin_cpu_supports("avx512f")) all.push_back(&nearest_center_tiles_avx512());
#endif
    return all;
}

TEST(NearestCenter, equals_the_plain_loop_for_every_shape_of_rows_and_centres) {
    for (const std::int64_t dim : {1, 2, 15, 17, 64, 65, 200}) {
        for (const std::int64_t num_rows : {1, 7, 49, 130}) {
            for (const std::int64_t num_centers : {1, 2, 9, 15, 16, 31, 49, 63, 97, 200}) {
                const auto x = gaussian(num_rows * dim, 1);
                const auto c = gaussian(num_centers * dim, 2);
                const MatrixView rows{x.data(), num_rows, dim};
                const MatrixView centers{c.data(), num_centers, dim};
                std::vector<float> nearest(static_cast<std::size_t>(num_rows), infinity);
                nearest[0] = 0.25F;
                const auto expected = plain_nearest(rows, centers, nearest);
                relax_nearest(Backend::cpu, rows, centers, nearest, 2);
                ASSERT_EQ(nearest, expected) << dim << " " << num_rows << " " << num_centers;
            }
        }
    }
}

TEST(NearestCenter, many_centres_pass_in_pieces) {
    constexpr std::int64_t dim = 2048;
    const auto x = gaussian(20 * dim, 3);
    const auto c = gaussian(150 * dim, 4);
    std::vector<float> nearest(20, infinity);
    const auto expected = plain_nearest({x.data(), 20, dim}, {c.data(), 150, dim}, nearest);
    relax_nearest(Backend::cpu, {x.data(), 20, dim}, {c.data(), 150, dim}, nearest, 1);
    EXPECT_EQ(nearest, expected);
}

TEST(NearestCenter, only_the_rows_asked_for_change) {
    constexpr std::int64_t dim = 33;
    const auto x = gaussian(300 * dim, 5);
    const auto c = gaussian(70 * dim, 6);
    const std::vector<std::int64_t> picked{299, 3, 4, 5, 100, 17, 0};
    for (const std::int64_t num_centers : {1, 3, 70}) {
        const MatrixView rows{x.data(), 300, dim};
        const MatrixView centers{c.data(), num_centers, dim};
        std::vector<float> nearest(300, 1e30F);
        const auto relaxed = plain_nearest(rows, centers, nearest);
        auto expected = nearest;
        for (const auto i : picked) {
            expected[static_cast<std::size_t>(i)] = relaxed[static_cast<std::size_t>(i)];
        }
        relax_nearest_of(Backend::cpu, rows, picked, centers, nearest, 2);
        EXPECT_EQ(nearest, expected);
        relax_nearest_of(Backend::cpu, rows, {}, centers, nearest, 2);
        EXPECT_EQ(nearest, expected);
    }
}

TEST(NearestCenter, threads_do_not_change_a_bit) {
    constexpr std::int64_t dim = 21;
    const auto x = gaussian(5000 * dim, 7);
    const auto c = gaussian(60 * dim, 8);
    std::vector<float> alone(5000, infinity);
    relax_nearest(Backend::cpu, {x.data(), 5000, dim}, {c.data(), 60, dim}, alone, 1);
    for (const int num_threads : {2, 3, 7}) {
        std::vector<float> shared(5000, infinity);
        relax_nearest(Backend::cpu, {x.data(), 5000, dim}, {c.data(), 60, dim}, shared,
                      num_threads);
        EXPECT_EQ(shared, alone);
    }
}

TEST(NearestCenter, instruction_sets_agree_bit_for_bit) {
    constexpr std::int64_t dim = 131;
    const auto x = gaussian(16 * dim, 9);
    const auto c = gaussian(4 * dim, 10);
    const float limits[8] = {infinity, infinity, infinity, infinity};
    for (const NearestCenterTiles* tiles : all_tiles()) {
        const float* vectors[16];
        for (int i = 0; i < 16; ++i)
            vectors[i] = x.data() + i * dim;
        const int count = std::min(3, tiles->lanes);  // the other lanes repeat the last vector
        const int num_singles = std::min(4, tiles->max_singles);
        AlignedFloats packed;
        float* const panel = packed.reserve(tiles->lanes * dim);
        tiles->pack(vectors, count, dim, panel);
        const float* singles[8];
        for (int s = 0; s < num_singles; ++s)
            singles[s] = c.data() + s * dim;
        std::vector<float> distances(static_cast<std::size_t>(num_singles * tiles->lanes));
        ASSERT_EQ(tiles->distances(singles, num_singles, panel, 1, dim, limits, distances.data()),
                  (1U << num_singles) - 1);
        for (int s = 0; s < num_singles; ++s) {
            for (int j = 0; j < tiles->lanes; ++j) {
                const float* const row = vectors[std::min(j, count - 1)];
                EXPECT_EQ(distances[static_cast<std::size_t>(s * tiles->lanes + j)],
                          plain_distance(singles[s], row, dim));
                EXPECT_EQ(tiles->squared_distance(singles[s], row, dim),
                          plain_distance(singles[s], row, dim));
            }
        }
    }
}

TEST(NearestCenter, packed_rows_see_each_centre) {
    constexpr std::int64_t dim = 70;
    const auto x = gaussian(130 * dim, 11);
    const auto c = gaussian(9 * dim, 12);
    const MatrixView rows{x.data(), 130, dim};
    std::vector<std::int64_t> picked;
    for (std::int64_t i = 0; i < 130; i += 2)
        picked.push_back(129 - i);
    const PackedRows packed(rows, picked);
    std::vector<float> nearest(picked.size(), infinity);
    for (int j = 0; j < 9; ++j)
        packed.relax(c.data() + j * dim, {nearest, {}, 0});
    const auto expected =
        plain_nearest(rows, {c.data(), 9, dim}, std::vector<float>(130, infinity));
    for (std::size_t i = 0; i < picked.size(); ++i) {
        EXPECT_EQ(nearest[i], expected[static_cast<std::size_t>(picked[i])]);
    }
}

// Every row's number must be that of a centre at exactly its distance, or still -1.
void expect_numbers(MatrixView rows, MatrixView centers, const std::vector<float>& distances,
                    const std::vector<std::int32_t>& numbers, std::int32_t first, float before) {
    for (std::int64_t i = 0; i < rows.rows; ++i) {
        const auto row = static_cast<std::size_t>(i);
        EXPECT_EQ(numbers[row] < 0, distances[row] == before);
        if (numbers[row] < 0) continue;
        EXPECT_EQ(distances[row],
                  plain_distance(rows.row(i), centers.row(numbers[row] - first), rows.dim));
    }
}

TEST(NearestCenter, tells_the_nearest_centre) {
    constexpr std::int64_t dim = 40;
    constexpr float before = 250.0F;  // some rows have no centre that near
    const auto x = gaussian(90 * dim, 15);
    std::vector<std::int64_t> all(90);
    std::iota(all.begin(), all.end(), std::int64_t{0});
    for (const std::int64_t num_centers : {1, 5, 48, 61, 700}) {
        const auto c = gaussian(num_centers * dim, 16);
        const MatrixView rows{x.data(), 90, dim};
        const MatrixView centers{c.data(), num_centers, dim};
        std::vector<float> distances(90, before);
        std::vector<std::int32_t> numbers(90, -1);
        relax_nearest_of(Backend::cpu, rows, all, centers, {distances, numbers, 1000}, 2);
        EXPECT_EQ(distances, plain_nearest(rows, centers, std::vector<float>(90, before)));
        expect_numbers(rows, centers, distances, numbers, 1000, before);

        std::vector<float> one_by_one(90, before);
        numbers.assign(90, -1);
        const PackedRows packed(rows, all);
        for (std::int32_t j = 0; j < num_centers; ++j) {
            packed.relax(centers.row(j), {one_by_one, numbers, j});
        }
        EXPECT_EQ(one_by_one, distances);
        expect_numbers(rows, centers, distances, numbers, 0, before);
    }
}

TEST(NearestCenter, only_the_centres_chosen_count) {
    constexpr std::int64_t dim = 18;
    const auto x = gaussian(50 * dim, 17);
    const auto c = gaussian(30 * dim, 18);
    const MatrixView rows{x.data(), 50, dim};
    const MatrixView centers{c.data(), 30, dim};
    const std::vector<std::int32_t> chosen{3, 4, 9, 10, 11, 12, 20, 25, 26, 29};
    std::vector<float> chosen_values;
    for (const std::int32_t j : chosen) {
        chosen_values.insert(chosen_values.end(), centers.row(j), centers.row(j) + dim);
    }
    std::vector<float> distances(50, infinity);
    std::vector<std::int32_t> numbers(50, -1);
    for (std::int64_t begin = 0; begin < 50; begin += rows_at_a_time()) {
        std::vector<std::int64_t> tile;
        for (std::int64_t i = begin; i < std::min<std::int64_t>(50, begin + rows_at_a_time());
             ++i) {
            tile.push_back(i);
        }
        relax_nearest_by(rows, tile, centers, chosen, {distances, numbers, 0});
    }
    EXPECT_EQ(distances, plain_nearest(rows, {chosen_values.data(), 10, dim},
                                       std::vector<float>(50, infinity)));
    expect_numbers(rows, centers, distances, numbers, 0, infinity);
}

TEST(NearestCenter, a_distance_too_large_for_a_float_is_infinite) {
    const std::vector<float> x{3e38F, -3e38F};
    const std::vector<float> c{-3e38F};
    std::vector<float> nearest(2, infinity);
    relax_nearest(Backend::cpu, {x.data(), 2, 1}, {c.data(), 1, 1}, nearest, 1);
    EXPECT_EQ(nearest, (std::vector<float>{infinity, 0.0F}));
}

TEST(NormalizeRows, rows_get_unit_length) {
    for (const std::int64_t dim : {1, 3, 64, 301}) {
        auto x = gaussian(40 * dim, 13);
        const auto before = x;
        EXPECT_EQ(normalize_rows(x.data(), 40, dim), -1);
        for (std::int64_t i = 0; i < 40; ++i) {
            double square = 0.0;
            float chain = 0.0F;
            for (std::int64_t k = 0; k < dim; ++k) {
                const auto j = static_cast<std::size_t>(i * dim + k);
                square += double{x[j]} * double{x[j]};
                chain = std::fma(before[j], before[j], chain);
            }
            EXPECT_NEAR(square, 1.0, 1e-6 * static_cast<double>(dim));
            for (std::int64_t k = 0; k < dim; ++k) {
                const auto j = static_cast<std::size_t>(i * dim + k);
                EXPECT_EQ(x[j], before[j] / std::sqrt(chain));
            }
        }
    }
}

TEST(NormalizeRows, names_the_first_row_that_has_no_direction) {
    constexpr std::int64_t dim = 5;
    for (const float bad : {0.0F, infinity, std::nanf(""), 3e38F}) {
        auto x = gaussian(200 * dim, 14);
        for (std::int64_t k = 0; k < dim; ++k)
            x[static_cast<std::size_t>(70 * dim + k)] = bad;
        for (std::int64_t k = 0; k < dim; ++k)
            x[static_cast<std::size_t>(150 * dim + k)] = bad;
        EXPECT_EQ(normalize_rows(x.data(), 200, dim), 70);
    }
}

}  // namespace
}  // namespace sluice::kernels
