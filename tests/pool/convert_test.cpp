#include "pool/convert.hpp"

#include "pool/convert_half.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace sluice::pool {
namespace {

// IEEE 754-2008, section 3.4, spelled out in double precision.
double half_value(std::uint16_t half) {
    const int exponent = half >> 10 & 0x1F;
    const int mantissa = half & 0x3FF;
    const double sign = (half & 0x8000) != 0 ? -1.0 : 1.0;
    if (exponent == 31) return mantissa == 0 ? sign * INFINITY : NAN;
    if (exponent == 0) return sign * std::ldexp(mantissa, -24);
    return sign * std::ldexp(1024 + mantissa, exponent - 25);
}

template <typename T>
std::vector<std::byte> stored(const std::vector<T>& values, bool big_endian) {
    std::vector<std::byte> bytes(values.size() * sizeof(T));
    std::memcpy(bytes.data(), values.data(), bytes.size());
    if (big_endian) swap_byte_order(bytes, sizeof(T));
    return bytes;
}

TEST(WidenHalf, all_65536_values_in_every_variant) {
    std::vector<std::uint16_t> halves(65536 + 3);  // an odd tail
    for (std::size_t i = 0; i < halves.size(); ++i)
        halves[i] = static_cast<std::uint16_t>(i);
    const auto* bytes = reinterpret_cast<const std::byte*>(halves.data());
    std::vector<float> scalar(halves.size());
    widen_half_scalar()(bytes, scalar.data(), scalar.size());
    for (std::size_t i = 0; i < halves.size(); ++i) {
        const double expected = half_value(halves[i]);
        if (std::isnan(expected))
            ASSERT_TRUE(std::isnan(scalar[i])) << i;
        else
            ASSERT_EQ(static_cast<double>(scalar[i]), expected) << i;
        ASSERT_EQ(std::signbit(scalar[i]), (halves[i] & 0x8000) != 0) << i;
    }
    for (const WidenHalf variant : {widen_half_f16c(), widen_half_avx512()}) {
        if (variant == nullptr) continue;
        std::vector<float> found(halves.size());
        variant(bytes, found.data(), found.size());
        EXPECT_EQ(std::memcmp(found.data(), scalar.data(), found.size() * sizeof(float)), 0);
    }
}

TEST(ToFloats, widens_big_endian_halves) {
    const auto bytes = stored<std::uint16_t>({0x3C00, 0xC000, 0x7BFF}, true);
    std::vector<float> out(3);
    EXPECT_FALSE(to_floats({ElementType::float16, true}, bytes.data(), out));
    EXPECT_EQ(out, (std::vector<float>{1.0F, -2.0F, 65504.0F}));
}

TEST(ToFloats, doubles_round_to_nearest_and_report_overflow) {
    const std::vector<double> values{1.0 + 0x1p-25, 3.4028234663852886e38, NAN,
                                     -INFINITY,     3.4028236e38,          1e300};
    for (const bool big_endian : {false, true}) {
        const auto bytes = stored(values, big_endian);
        std::vector<float> out(values.size());
        EXPECT_EQ(to_floats({ElementType::float64, big_endian}, bytes.data(), out), 4U);
        EXPECT_EQ(out[0], 1.0F);
        EXPECT_EQ(out[1], std::numeric_limits<float>::max());
        EXPECT_TRUE(std::isnan(out[2]));
        EXPECT_EQ(out[3], -INFINITY);
    }
}

TEST(ToFloats, integers_round_once) {
    const std::vector<std::uint64_t> values{(std::uint64_t{1} << 63) + (std::uint64_t{1} << 39) + 1,
                                            ~std::uint64_t{0}};
    std::vector<float> out(2);
    EXPECT_FALSE(to_floats({ElementType::uint64, false}, stored(values, false).data(), out));
    EXPECT_EQ(out[0], 0x1.000002p63F);  // just above the tie
    EXPECT_EQ(out[1], 0x1p64F);
}

TEST(ToIntegers, values_beyond_int64_are_reported) {
    const std::vector<std::uint64_t> values{7, (std::uint64_t{1} << 63) - 1,
                                            std::uint64_t{1} << 63};
    std::vector<std::int64_t> out(3);
    EXPECT_EQ(to_integers({ElementType::uint64, true}, stored(values, true).data(), out), 2U);
    EXPECT_EQ(out[1], std::numeric_limits<std::int64_t>::max());
}

TEST(ToIntegers, signs_survive) {
    const std::vector<std::int16_t> values{-32768, -1, 32767};
    std::vector<std::int64_t> out(3);
    EXPECT_FALSE(to_integers({ElementType::int16, true}, stored(values, true).data(), out));
    EXPECT_EQ(out, (std::vector<std::int64_t>{-32768, -1, 32767}));
}

TEST(ToText, reads_back_to_the_same_value) {
    EXPECT_EQ(to_text({ElementType::int8, false}, stored<std::int8_t>({-5}, false).data()), "-5");
    EXPECT_EQ(to_text({ElementType::uint64, true},
                      stored<std::uint64_t>({~std::uint64_t{0}}, true).data()),
              "18446744073709551615");
    EXPECT_EQ(to_text({ElementType::float64, false}, stored<double>({0.1}, false).data()), "0.1");
    EXPECT_EQ(to_text({ElementType::float16, false}, stored<std::uint16_t>({0x3800}, false).data()),
              "0.5");
}

}  // namespace
}  // namespace sluice::pool
