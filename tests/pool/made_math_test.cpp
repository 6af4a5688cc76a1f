#include "pool/made_math.hpp"

#include "pool/made_random.hpp"
#include "pool/made_store.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace sluice::pool {
namespace {

// |found - exact| in units of the last place of `exact` as a float.
double ulps(float found, double exact) {
    const auto rounded = static_cast<float>(exact);
    const float step = std::nextafter(std::fabs(rounded), std::numeric_limits<float>::infinity()) -
                       std::fabs(rounded);
    return std::fabs(double{found} - exact) / double{step};
}

TEST(MadeMath, log_is_accurate_for_all_magnitudes) {
    for (int i = 1; i < 200000; ++i) {
        const float x = static_cast<float>(i) * 0x1p-17F;
        if (x == 1.0F) continue;
        EXPECT_LE(ulps(made_log(x), std::log(double{x})), 3.0) << x;
    }
    for (int exponent = -126; exponent < 127; ++exponent) {
        const float x = std::ldexp(1.37F, exponent);
        EXPECT_LE(ulps(made_log(x), std::log(double{x})), 3.0) << x;
    }
    EXPECT_EQ(made_log(1.0F), 0.0F);
}

TEST(MadeMath, exp_is_accurate_and_vanishes_far_below) {
    for (float x = -86.9F; x < 88.0F; x += 0.0013F) {
        EXPECT_LE(ulps(made_exp(x), std::exp(double{x})), 3.0) << x;
    }
    EXPECT_EQ(made_exp(0.0F), 1.0F);
    EXPECT_EQ(made_exp(-1000.0F), 0.0F);
}

TEST(MadeMath, sine_and_cosine_are_accurate_over_many_turns) {
    for (float turns = -3.0F; turns < 3.0F; turns += 0.00037F) {
        const SineCosine found = made_sine_cosine(turns);
        const double angle = double{turns} * 2.0 * std::numbers::pi;
        EXPECT_NEAR(found.sine, std::sin(angle), 2e-7) << turns;
        EXPECT_NEAR(found.cosine, std::cos(angle), 2e-7) << turns;
    }
}

// IEEE 754 binary16 by its definition: the nearest multiple of the spacing at that magnitude.
double nearest_half(double value) {
    const double magnitude = std::fabs(value);
    const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
    const double spacing = std::ldexp(1.0, exponent - 10);
    const double rounded = std::nearbyint(magnitude / spacing) * spacing;  // ties to even
    return std::copysign(rounded > 65504.0 ? INFINITY : rounded, value);
}

double value_of_half(std::uint16_t half) {
    const int exponent = half >> 10 & 0x1F;
    const int mantissa = half & 0x3FF;
    double magnitude =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    if (exponent == 0x1F) magnitude = mantissa == 0 ? INFINITY : NAN;
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(MadeStore, half_rounds_to_nearest_even) {
    for (float x = 1e-9F; x < 1e5F; x *= 1.00013F) {
        EXPECT_EQ(value_of_half(half_of(x)), nearest_half(x)) << x;
        EXPECT_EQ(value_of_half(half_of(-x)), nearest_half(-x)) << x;
    }
    // Ties: halfway between two halves, the even one wins.
    EXPECT_EQ(half_of(1.0F + 0x1p-11F), 0x3C00);
    EXPECT_EQ(half_of(1.0F + 3 * 0x1p-11F), 0x3C02);
    EXPECT_EQ(half_of(65519.0F), 0x7BFF);
    EXPECT_EQ(half_of(65520.0F), 0x7C00);
    EXPECT_EQ(half_of(0x1p-25F), 0);
    EXPECT_EQ(half_of(-0.0F), 0x8000);
    EXPECT_TRUE(std::isnan(value_of_half(half_of(NAN))));
}

TEST(MadeRandom, normals_have_the_moments_and_tails_of_a_normal) {
    constexpr std::int64_t count = 400000;
    std::vector<float> values(count);
    fill_normal_rows(3, {0, count / 8}, 8, values);
    double sum = 0.0;
    double squares = 0.0;
    double fourth = 0.0;
    std::int64_t beyond_two = 0;
    for (const float value : values) {
        sum += value;
        squares += double{value} * value;
        fourth += std::pow(double{value}, 4);
        if (std::fabs(value) > 2.0F) ++beyond_two;
    }
    EXPECT_NEAR(sum / count, 0.0, 0.006);  // 4 standard errors
    EXPECT_NEAR(squares / count, 1.0, 0.009);
    EXPECT_NEAR(fourth / count, 3.0, 0.065);
    EXPECT_NEAR(static_cast<double>(beyond_two) / count, 0.0455, 0.0014);
}

TEST(MadeRandom, rows_do_not_depend_on_how_they_are_asked_for) {
    for (const std::int64_t dim : {1, 2, 3, 5, 64, 257}) {
        const auto width = static_cast<std::size_t>(dim);
        std::vector<float> all(width * 20);
        fill_normal_rows(9, {100, 120}, dim, all);
        for (RowId row = 100; row < 120; ++row) {
            std::vector<float> one(width);
            fill_normal_rows(9, {row, row + 1}, dim, one);
            const auto first = all.begin() + (row - 100) * dim;
            EXPECT_TRUE(std::equal(one.begin(), one.end(), first)) << dim << " " << row;
        }
    }
}

TEST(MadeRandom, rows_and_seeds_differ) {
    std::vector<float> one(64), other_row(64), other_seed(64);
    fill_normal_rows(1, {5, 6}, 64, one);
    fill_normal_rows(1, {6, 7}, 64, other_row);
    fill_normal_rows(2, {5, 6}, 64, other_seed);
    EXPECT_NE(one, other_row);
    EXPECT_NE(one, other_seed);
    EXPECT_NE(normal_table(1, 1, 64), normal_table(1, 2, 64));
}

}  // namespace
}  // namespace sluice::pool
