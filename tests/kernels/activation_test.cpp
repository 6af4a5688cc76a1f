// The bounds that activation_functions.hpp states, against double precision.
#include "kernels/activation.hpp"

#include "core/error.hpp"
#include "kernels/activation_functions.hpp"
#include "support/expect_error.hpp"
#include "ulp_errors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::kernels {
namespace {

constexpr float highest = std::numeric_limits<float>::max();

float silu_of(float x) {
    return canonical_silu(x);
}
float tanh_of(float x) {
    return canonical_tanh(x);
}
float cos_of(float x) {
    return canonical_cos(x);
}
double exact_silu(double x) {
    return x / (1.0 + std::exp(-x));
}
double exact_tanh(double x) {
    return std::tanh(x);
}
double exact_cos(double x) {
    return std::cos(x);
}
double distance(float got, double exact) {
    return std::abs(static_cast<double>(got) - exact);
}

TEST(CanonicalSilu, is_within_four_ulps) {
    for (const float sign : {-1.0F, 1.0F}) {
        EXPECT_LE(worst_error(sign * 0x1p-140F, sign * 87.0F, 331, silu_of, exact_silu), 4.0);
        EXPECT_LE(worst_error(sign * 0x1p-6F, sign * 40.0F, 37, silu_of, exact_silu), 4.0);
    }
    EXPECT_LE(worst_of(-87.0F, -200.0F, 37, silu_of, exact_silu, distance), 2e-43);
    EXPECT_LE(worst_error(87.0F, 200.0F, 37, silu_of, exact_silu), 4.0);
    EXPECT_LE(worst_error(100.0F, highest, 9973, silu_of, exact_silu), 1.0);
}

TEST(CanonicalSilu, ends_of_the_range) {
    EXPECT_EQ(canonical_silu(0.0F), 0.0F);
    EXPECT_EQ(canonical_silu(highest), highest);
    EXPECT_EQ(canonical_silu(infinity), infinity);
    EXPECT_EQ(canonical_silu(-1000.0F), 0.0F);
    EXPECT_EQ(canonical_silu(-infinity), 0.0F);
    EXPECT_TRUE(std::isnan(canonical_silu(not_a_number)));
}

TEST(CanonicalTanh, is_within_three_ulps) {
    for (const float sign : {-1.0F, 1.0F}) {
        EXPECT_LE(worst_error(sign * float_of_bits(1), sign * 100.0F, 331, tanh_of, exact_tanh),
                  3.0);
        EXPECT_LE(worst_error(sign * 0x1p-8F, sign * 12.0F, 37, tanh_of, exact_tanh), 3.0);
    }
}

TEST(CanonicalTanh, saturates_at_one) {
    EXPECT_EQ(canonical_tanh(0.0F), 0.0F);
    EXPECT_EQ(canonical_tanh(9.5F), 1.0F);
    EXPECT_EQ(canonical_tanh(infinity), 1.0F);
    EXPECT_EQ(canonical_tanh(-highest), -1.0F);
    for (std::uint32_t bits = bits_of(1.0F); bits < bits_of(20.0F); bits += 17)
        ASSERT_LE(canonical_tanh(float_of_bits(bits)), 1.0F);
    EXPECT_TRUE(std::isnan(canonical_tanh(not_a_number)));
}

TEST(CanonicalCos, is_accurate_up_to_ten_thousand) {
    for (const float sign : {-1.0F, 1.0F}) {
        EXPECT_LE(worst_of(sign * 0x1p-20F, sign * 16.0F, 37, cos_of, exact_cos, distance), 1.5e-7);
        EXPECT_LE(worst_of(sign * 16.0F, sign * 1e4F, 37, cos_of, exact_cos, distance), 1.5e-7);
    }
    EXPECT_EQ(canonical_cos(0.0F), 1.0F);
}

TEST(CanonicalCos, keeps_its_accuracy_where_it_is_zero) {
    for (int n = 0; n < 3000; ++n) {
        const auto x = static_cast<float>((n + 0.5) * 3.14159265358979323846);
        EXPECT_LE(distance(canonical_cos(x), std::cos(static_cast<double>(x))), 1.5e-7) << x;
    }
}

TEST(CanonicalCos, stays_a_cosine_for_any_finite_argument) {
    for (std::uint32_t bits = bits_of(1e4F); bits <= bits_of(highest); bits += 4099)
        for (const float sign : {-1.0F, 1.0F}) {
            const float result = canonical_cos(sign * float_of_bits(bits));
            ASSERT_TRUE(result >= -1.0F && result <= 1.0F) << sign * float_of_bits(bits);
        }
    EXPECT_TRUE(std::isnan(canonical_cos(infinity)));
    EXPECT_TRUE(std::isnan(canonical_cos(not_a_number)));
}

TEST(Relu, leaves_no_nan_and_no_minus_zero) {
    EXPECT_EQ(Relu::of(2.5F), 2.5F);
    EXPECT_EQ(Relu::of(-2.5F), 0.0F);
    EXPECT_EQ(Relu::of(infinity), infinity);
    EXPECT_EQ(bits_of(Relu::of(-0.0F)), 0U);
    EXPECT_EQ(bits_of(Relu::of(not_a_number)), 0U);
}

TEST(FindActivation, knows_all_names) {
    for (const std::string_view name : activation_names())
        EXPECT_EQ(activation_name(find_activation(name)), name);
    EXPECT_EQ(find_activation("silu"), Activation::silu);
    EXPECT_EQ(activation_names().size(), 5U);
    test::expect_error(ExitCode::usage, "(reLu); did you mean relu?",
                       [] { find_activation("reLu"); });
}

}  // namespace
}  // namespace sluice::kernels
