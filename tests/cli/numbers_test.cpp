#include "cli/numbers.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace sluice::cli {
namespace {

TEST(Numbers, counts_take_digits_underscores_and_powers_of_ten) {
    EXPECT_EQ(parse_count("0"), 0U);
    EXPECT_EQ(parse_count("1000000"), 1'000'000U);
    EXPECT_EQ(parse_count("1_000_000"), 1'000'000U);
    EXPECT_EQ(parse_count("1e6"), 1'000'000U);
    EXPECT_EQ(parse_count("2.5e6"), 2'500'000U);
    EXPECT_EQ(parse_count("1E+3"), 1'000U);
    EXPECT_EQ(parse_count("12.0"), 12U);
    EXPECT_EQ(parse_count("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
}

TEST(Numbers, counts_refuse_everything_else) {
    for (const char* text : {"",
                             " 1",
                             "1 ",
                             "-1",
                             "+1",
                             "0x10",
                             "1.5",
                             "1e-3",
                             "1e",
                             "e3",
                             "1,000",
                             "_1",
                             "1_",
                             "1__0",
                             "1.",
                             ".5e1",
                             "1e99999999999999999999",
                             "1e20",
                             "18446744073709551616",
                             "nan",
                             "inf",
                             "1\n",
                             "\xD9\xA3"}) {
        EXPECT_FALSE(parse_count(text).has_value()) << text;
    }
}

TEST(Numbers, seeds_are_digits_alone) {
    EXPECT_EQ(parse_digits("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
    for (const char* text : {"", "1e3", "1_0", "-0", "18446744073709551616", "7 "}) {
        EXPECT_FALSE(parse_digits(text).has_value()) << text;
    }
}

TEST(Numbers, decimals_have_a_point_and_are_finite) {
    EXPECT_EQ(parse_number("0.5"), 0.5);
    EXPECT_EQ(parse_number("-1e3"), -1000.0);
    for (const char* text : {"", "0,5", "inf", "nan", "1e999", "1 ", "0.5x"}) {
        EXPECT_FALSE(parse_number(text).has_value()) << text;
    }
}

}  // namespace
}  // namespace sluice::cli
