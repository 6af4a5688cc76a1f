#include "core/philox.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>

namespace sluice {
namespace {

void expect_words(Philox4 counter, std::uint64_t key, Philox4 expected) {
    const Philox4 words = philox4x32(counter, key);
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(words.word[i], expected.word[i]) << "word " << i;
}

// The known answers of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, known_answers) {
    expect_words({{0, 0, 0, 0}}, 0, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
    expect_words({{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}}, 0xffffffffffffffff,
                 {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
    expect_words({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0x299f31d0a4093822,
                 {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
}

TEST(Philox, is_evaluated_at_compile_time_too) {
    constexpr Philox4 words = philox4x32({{0, 0, 0, 0}}, 0);
    static_assert(words.word[0] == 0x6627e8d5);
}

TEST(RandomWords, every_argument_matters) {
    constexpr auto purpose = RandomPurpose::random_score;
    const std::set<std::uint32_t> first_words = {
        random_words(1, purpose, 0, 0, 0).word[0],
        random_words(2, purpose, 0, 0, 0).word[0],
        random_words(1ULL << 32, purpose, 0, 0, 0).word[0],
        random_words(1, RandomPurpose::pool_values, 0, 0, 0).word[0],
        random_words(1, purpose, 1, 0, 0).word[0],
        random_words(1, purpose, 0, 1, 0).word[0],
        random_words(1, purpose, 0, 1ULL << 32, 0).word[0],
        random_words(1, purpose, 0, 0, 1).word[0]};
    EXPECT_EQ(first_words.size(), 8U);
}

TEST(UnitFloat, stays_inside_zero_and_one) {
    EXPECT_EQ(unit_float(0), 0x1p-24F);
    EXPECT_EQ(unit_float(0xffffffff), 1.0F - 0x1p-24F);
    EXPECT_LT(unit_float(0xffffffff), 1.0F);
}

}  // namespace
}  // namespace sluice
