#include "kernels/canonical_math.hpp"

#include "ulp_errors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::kernels {
namespace {

constexpr float lowest_normal = std::numeric_limits<float>::min();
constexpr float highest = std::numeric_limits<float>::max();

float exp_of(float x) {
    return canonical_exp(x);
}
float log_of(float x) {
    return canonical_log(x);
}
float log1p_of(float x) {
    return canonical_log1p(x);
}
float exp_minus_one_of(float x) {
    return canonical_exp_pair(x, 0.0F).minus_one;
}
float pair_power_of(float x) {
    return canonical_exp_pair(x, 0.0F).power;
}
double exact_expm1(double x) {
    return std::expm1(x);
}
double exact_exp(double x) {
    return std::exp(x);
}
double exact_log(double x) {
    return std::log(x);
}
double exact_log1p(double x) {
    return std::log1p(x);
}

// The bounds that canonical_math.hpp states.
TEST(CanonicalExp, is_within_one_ulp) {
    EXPECT_LE(worst_error(-0x1p-40F, -103.9F, 331, exp_of, exact_exp), 1.0);
    EXPECT_LE(worst_error(0x1p-40F, 88.7F, 331, exp_of, exact_exp), 1.0);
    EXPECT_LE(worst_error(-0.25F, -8.0F, 37, exp_of, exact_exp), 1.0);
}

TEST(CanonicalExp, ends_of_the_range) {
    EXPECT_EQ(canonical_exp(0.0F), 1.0F);
    EXPECT_EQ(canonical_exp(-0.0F), 1.0F);
    EXPECT_EQ(canonical_exp(-103.2F), 0x1p-149F);
    EXPECT_EQ(canonical_exp(-104.0F), 0.0F);
    EXPECT_EQ(canonical_exp(-1e4F), 0.0F);
    EXPECT_EQ(canonical_exp(-highest), 0.0F);
    EXPECT_EQ(canonical_exp(-infinity), 0.0F);
    EXPECT_EQ(canonical_exp(89.0F), infinity);
    EXPECT_EQ(canonical_exp(highest), infinity);
    EXPECT_TRUE(std::isnan(canonical_exp(not_a_number)));
}

TEST(CanonicalExp, underflows_gradually) {
    EXPECT_GT(canonical_exp(-88.0F), 0.0F);
    EXPECT_LT(canonical_exp(-88.0F), lowest_normal);
    EXPECT_LE(worst_error(-87.3F, -103.9F, 7, exp_of, exact_exp), 1.0);
}

TEST(CanonicalExpPair, is_within_two_ulps) {
    for (const float sign : {-1.0F, 1.0F}) {
        EXPECT_LE(worst_error(sign * 0x1p-120F, sign * 87.0F, 331, exp_minus_one_of, exact_expm1),
                  2.0);
        EXPECT_LE(worst_error(sign * 0x1p-12F, sign * 2.0F, 37, exp_minus_one_of, exact_expm1),
                  2.0);
        EXPECT_LE(worst_error(sign * 0x1p-40F, sign * 87.0F, 331, pair_power_of, exact_exp), 2.0);
    }
    EXPECT_EQ(exp_minus_one_of(0.0F), 0.0F);
    EXPECT_EQ(pair_power_of(0.0F), 1.0F);
    EXPECT_TRUE(std::isnan(exp_minus_one_of(not_a_number)));
    EXPECT_TRUE(std::isnan(pair_power_of(not_a_number)));
}

TEST(CanonicalExpPair, takes_the_low_part_of_its_argument) {
    for (float high = -60.0F; high < 60.0F; high += 0.0625F)
        for (const float low : {-0x1p-4F, -0x1.234568p-26F, 0x1.234568p-30F, 0x1p-5F}) {
            const double x = static_cast<double>(high) + static_cast<double>(low);
            const ExpPair<float> pair = canonical_exp_pair(high, low);
            EXPECT_LE(error_in_ulps(pair.power, std::exp(x)), 2.0) << high << " + " << low;
            EXPECT_LE(error_in_ulps(pair.minus_one, std::expm1(x)), 2.0) << high << " + " << low;
        }
}

TEST(CanonicalLog, is_within_two_ulps) {
    EXPECT_LE(worst_error(float_of_bits(1), 0x1p90F, 997, log_of, exact_log), 2.0);
    EXPECT_LE(worst_error(0.5F, 2.0F, 11, log_of, exact_log), 2.0);
}

TEST(CanonicalLog, every_exponent) {
    for (int exponent = -149; exponent < 90; ++exponent) {
        const float power = std::ldexp(1.0F, exponent);
        EXPECT_LE(error_in_ulps(canonical_log(power), exponent * std::log(2.0)), 1.0) << exponent;
    }
    EXPECT_EQ(canonical_log(1.0F), 0.0F);
}

TEST(CanonicalLog, zero_times_its_log_is_zero) {
    EXPECT_EQ(0.0F * canonical_log(0.0F), 0.0F);
    EXPECT_EQ(-0.0F * canonical_log(-0.0F), 0.0F);
}

TEST(CanonicalLog1p, is_within_three_ulps) {
    EXPECT_LE(worst_error(float_of_bits(1), 0x1p60F, 997, log1p_of, exact_log1p), 3.0);
    EXPECT_LE(worst_error(0x1p-12F, 4.0F, 37, log1p_of, exact_log1p), 3.0);
    EXPECT_EQ(canonical_log1p(0.0F), 0.0F);
}

TEST(TimesPowerOfTwo, rounds_once) {
    // 1.5 * 2^-149 is halfway between two denormals: to even.
    EXPECT_EQ(times_power_of_two(1.5F, -149.0F), 0x1p-148F);
    EXPECT_EQ(times_power_of_two(1.0F, -150.0F), 0.0F);
    EXPECT_EQ(times_power_of_two(1.25F, -149.0F), 0x1p-149F);
    EXPECT_EQ(times_power_of_two(1.0F, 128.0F), infinity);
    EXPECT_EQ(times_power_of_two(0.75F, 128.0F), 0x1.8p127F);
}

}  // namespace
}  // namespace sluice::kernels
