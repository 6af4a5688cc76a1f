// Numbers of 16 bits, widened where they are scored: what the device computes, run on the CPU; and,
// where a device is there, on it.
#include "kernels/cuda/device.hpp"
#include "kernels/half.hpp"
#include "kernels/score_staging.hpp"
#include "score_fixture.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace sluice::kernels {
namespace {

/// IEEE 754's definition, in float64.
double value_of_half(unsigned half) {
    const double sign = (half & 0x8000U) != 0 ? -1.0 : 1.0;
    const int exponent = static_cast<int>(half >> 10 & 0x1fU);
    const double fraction = (half & 0x3ffU) / 1024.0;
    if (exponent == 31) return fraction != 0.0 ? std::nan("") : sign * HUGE_VAL;
    return exponent == 0 ? sign * std::ldexp(fraction, -14)
                         : sign * std::ldexp(1.0 + fraction, exponent - 15);
}

TEST(Half, widens_to_the_same_number_whatever_its_bits) {
    for (unsigned bits = 0; bits < (1U << 16); ++bits) {
        const float wide = widened(static_cast<Half>(bits));
        const double expected = value_of_half(bits);
        if (std::isnan(expected)) {
            ASSERT_TRUE(std::isnan(wide)) << bits;
        } else {
            ASSERT_EQ(static_cast<double>(wide), expected) << bits;
            ASSERT_EQ(std::signbit(wide), std::signbit(expected)) << bits;
        }
    }
}

/// Half number i counts up from a number with many digits.
std::vector<Pack<Half>> counted_halves(std::uint32_t count) {
    std::vector<Pack<Half>> memory(count / Pack<Half>::size + 1);
    std::iota(memory.front().at, memory.front().at + count, Half{0x3a01});
    return memory;
}

TEST(HalfStagingTwin, turns_rows_over_whatever_their_length) {
    constexpr std::uint32_t num_threads = 128;
    for (const std::uint32_t elements : {1U, 3U, 7U, 8U, 9U, 50U, 93U})
        for (const std::uint32_t num_rows : {1U, 31U, 128U}) {
            const std::uint32_t count = elements * num_rows;
            const auto memory = counted_halves(count);
            const Half* const values = memory.front().at;
            std::vector<float> tile(elements * (num_threads + 1), -1.0F);
            for (std::uint32_t thread = 0; thread < num_threads; ++thread)
                stage_rows(StagedRows<Half>{values, count, elements, num_threads + 1}, thread,
                           num_threads, tile.data());
            for (std::uint32_t e = 0; e < elements; ++e)
                for (std::uint32_t row = 0; row <= num_threads; ++row) {
                    const float found = tile[e * (num_threads + 1) + row];
                    const float expected =
                        row < num_rows ? widened(values[row * elements + e]) : -1.0F;
                    ASSERT_EQ(std::bit_cast<std::uint32_t>(found),
                              std::bit_cast<std::uint32_t>(expected))
                        << elements << " elements, row " << row;
                }
        }
}

TEST(HalfStagingTwin, copies_values_that_lie_side_by_side_wherever) {
    for (const std::uint32_t first : {0U, 1U, 7U, 8U})
        for (const std::uint32_t count : {1U, 5U, 8U, 15U, 1000U}) {
            const auto memory = counted_halves(first + count);
            const Half* const values = memory.front().at + first;
            std::vector<float> floats(count + 1, -1.0F);
            for (std::int64_t thread = 0; thread < 32; ++thread)
                stage_values(values, std::int64_t{count}, thread, 32, floats.data());
            for (std::uint32_t i = 0; i < count; ++i)
                ASSERT_EQ(std::bit_cast<std::uint32_t>(floats[i]),
                          std::bit_cast<std::uint32_t>(widened(values[i])))
                    << first << " + " << i;
            EXPECT_EQ(floats.back(), -1.0F);
        }
}

TEST(Halves, what_is_wrong_with_a_row_is_said_of_them_too) {
    const std::vector<Half> halves = {0x3800, 0x3800, 0x3800, 0xb400};  // 1/2 1/2, 1/2 -1/4
    ScoreBlock block{nullptr, {10, 12}, 1, 2, ScoreInput::probabilities};
    block.halves = halves.data();
    EXPECT_EQ(describe_bad_row(block, 10), "");
    EXPECT_EQ(describe_bad_row(block, 11), "class 1 has probability -0.25 (must be >= 0)");
}

/// Every bit pattern is among them: rows of two predictions, those that are not finite NaN.
TEST(CudaHalves, give_the_bits_of_their_widening_on_the_cpu) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    std::vector<Half> halves(1U << 16);
    std::iota(halves.begin(), halves.end(), Half{0});
    Rows rows{{}, 2, 1, ScoreInput::predictions};
    for (const Half half : halves)
        rows.values.push_back(widened(half));
    const std::vector<float> expected = scores_of("committee_std", rows);
    ScoreBlock block = rows.block();
    block.values = nullptr;
    block.halves = halves.data();
    std::vector<float> scores(expected.size());
    const auto scorer = make_scorer(Backend::cuda, find_score("committee_std"), 1, 0);
    ASSERT_TRUE(scorer->reads_halves());
    scorer->score(block, scores);
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (std::isnan(expected[i])) {
            ASSERT_TRUE(std::isnan(scores[i])) << i;
        } else {
            ASSERT_EQ(std::bit_cast<std::uint32_t>(scores[i]),
                      std::bit_cast<std::uint32_t>(expected[i]))
                << i;
        }
    }
}

}  // namespace
}  // namespace sluice::kernels
