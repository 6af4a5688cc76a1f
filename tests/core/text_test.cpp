#include "core/text.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <clocale>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

namespace sluice {
namespace {

TEST(Printable, escapes_control_characters_and_broken_utf8_only) {
    EXPECT_EQ(printable("plain, µ and 日本"), "plain, µ and 日本");
    EXPECT_EQ(printable("a\nb\t\x1b[0m\x7f"), "a\\x0ab\\x09\\x1b[0m\\x7f");
    EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
    EXPECT_EQ(printable("\xff\xc0\x80"), "\\xff\\xc0\\x80");
    EXPECT_EQ(printable("cut \xe6\x97"), "cut \\xe6\\x97");
}

TEST(NumberText, reads_back_to_the_same_bits) {
    std::mt19937 random(1);
    for (int i = 0; i < 10'000; ++i) {
        const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        if (std::isnan(value)) continue;
        const float back = std::strtof(number_text(value).c_str(), nullptr);
        ASSERT_EQ(std::bit_cast<std::uint32_t>(back), std::bit_cast<std::uint32_t>(value));
    }
    const double third = 1.0 / 3.0;
    EXPECT_EQ(std::strtod(number_text(third).c_str(), nullptr), third);
}

TEST(NumberText, is_the_shortest_and_knows_the_special_values) {
    EXPECT_EQ(number_text(0.1F), "0.1");
    EXPECT_EQ(number_text(0.1), "0.1");
    EXPECT_EQ(number_text(1.0F), "1");
    EXPECT_EQ(number_text(-0.0F), "-0");
    EXPECT_EQ(number_text(std::numeric_limits<float>::infinity()), "inf");
    EXPECT_EQ(number_text(-std::numeric_limits<double>::infinity()), "-inf");
    EXPECT_EQ(number_text(std::numeric_limits<float>::quiet_NaN()), "nan");
}

TEST(NumberText, does_not_listen_to_the_locale) {
    if (std::setlocale(LC_ALL, "de_DE.UTF-8") == nullptr) {
        GTEST_SKIP() << "the locale de_DE.UTF-8 is not installed";
    }
    EXPECT_EQ(number_text(1.5), "1.5");
    EXPECT_EQ(count_text(1234), "1,234");
    EXPECT_EQ(bytes_text(1536), "1.5 KiB");
    std::setlocale(LC_ALL, "C");
}

TEST(CountText, groups_thousands) {
    EXPECT_EQ(count_text(0), "0");
    EXPECT_EQ(count_text(999), "999");
    EXPECT_EQ(count_text(1000), "1,000");
    EXPECT_EQ(count_text(1'234'567), "1,234,567");
    EXPECT_EQ(count_text(-999), "-999");
    EXPECT_EQ(count_text(-1000), "-1,000");
    EXPECT_EQ(count_text(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(BytesText, uses_binary_units) {
    EXPECT_EQ(bytes_text(0), "0 B");
    EXPECT_EQ(bytes_text(1023), "1023 B");
    EXPECT_EQ(bytes_text(3.25 * 1024 * 1024 * 1024), "3.2 GiB");
    EXPECT_EQ(bytes_text(5e18), "4440.9 PiB");
}

TEST(NearestName, suggests_what_is_close_and_nothing_else) {
    const std::vector<std::string> names = {"queue", "batch", "score", "shortlist"};
    EXPECT_EQ(nearest_name("quene", names), "queue");
    EXPECT_EQ(nearest_name("shortlst", names), "shortlist");
    EXPECT_EQ(nearest_name("zzzzzzzz", names), "");
    EXPECT_EQ(nearest_name("batch", {}), "");
}

}  // namespace
}  // namespace sluice
