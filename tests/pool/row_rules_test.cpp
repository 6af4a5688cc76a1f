#include "pool/row_rules.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace sluice::pool {
namespace {

using Kind = RowRule::Kind;
constexpr double infinity = std::numeric_limits<double>::infinity();

std::optional<Problem> problem_of(const RowRule& rule, const std::vector<double>& row) {
    const auto found = judge_row(rule, row);
    return found ? std::optional(found->problem) : std::nullopt;
}

// The quick look at `rows` rows of `width`, with the padding it asks for.
bool quick_look(const RowRule& rule, std::vector<float> values, std::int64_t width) {
    const std::size_t size = values.size();
    values.resize(size + padding_elements);
    return rows_look_clean(rule, std::span(values).first(size), width);
}

std::vector<float> uniform_rows(std::int64_t rows, std::int64_t classes) {
    return std::vector<float>(static_cast<std::size_t>(rows * classes),
                              1.0F / static_cast<float>(classes));
}

TEST(RowRules, judges_single_rows) {
    const RowRule features{Kind::features, 1};
    const RowRule shares{Kind::distributions, 2};
    EXPECT_EQ(problem_of(features, {1.0, -2.0}), std::nullopt);
    EXPECT_EQ(problem_of(features, {1.0, NAN}), Problem::non_finite);
    EXPECT_EQ(problem_of(features, {-infinity, 1.0}), Problem::non_finite);
    EXPECT_EQ(problem_of(features, {1e39, 1.0}), Problem::beyond_float32);
    EXPECT_EQ(problem_of(features, {1e30, 1.0}), Problem::too_large);
    EXPECT_EQ(problem_of(features, {9e18, 0.0}), std::nullopt);
    EXPECT_EQ(problem_of(features, {0.0, -0.0}), Problem::zero_norm);
    EXPECT_EQ(problem_of(features, {1e-25, 1e-25}), Problem::zero_norm);
    EXPECT_EQ(problem_of(shares, {0.25, 0.75}), std::nullopt);
    EXPECT_EQ(problem_of(shares, {-0.0, 1.0}), std::nullopt);
    EXPECT_EQ(problem_of(shares, {-0.1, 1.1}), Problem::negative);
    EXPECT_EQ(problem_of(shares, {0.0, 0.0}), Problem::all_zero);
    EXPECT_EQ(problem_of(shares, {0.5, 0.502}), Problem::bad_sum);
    EXPECT_EQ(problem_of(shares, {0.5, 0.5009}), std::nullopt);
    EXPECT_EQ(problem_of(shares, {0.5, 0.5, 0.9, 0.9}), Problem::bad_sum);
    EXPECT_EQ(judge_row(shares, std::vector<double>{0.5, 0.5, 0.9, 0.9})->element, 2);
    EXPECT_EQ(problem_of({Kind::finite, 1}, {1e30, 0.0}), std::nullopt);
}

// Two rows at the limit are still near enough for float32.
TEST(RowRules, features_within_the_limit_never_overflow_a_distance) {
    const RowRule features{Kind::features, 1};
    double largest = 0.0;
    for (double x = 8e18; x < 1e19; x *= 1.0001) {
        if (!problem_of(features, {x})) largest = x;
    }
    const auto x = static_cast<float>(largest);
    EXPECT_TRUE(std::isfinite((x + x) * (x + x)));
    EXPECT_EQ(problem_of(features, {largest * 1.001}), Problem::too_large);
}

// Whatever is planted anywhere, the quick look never passes it.
TEST(RowRules, quick_look_sees_every_defect_in_every_place) {
    constexpr std::int64_t rows = 19;
    for (const std::int64_t width : {2, 3, 7, 8, 9, 10, 16, 33}) {
        const std::vector<float> clean = uniform_rows(rows, width);
        const RowRule features{Kind::features, 1};
        const RowRule shares{Kind::distributions, width};
        EXPECT_TRUE(quick_look(features, clean, width)) << width;
        EXPECT_TRUE(quick_look(shares, clean, width)) << width;
        for (std::size_t i = 0; i < clean.size(); ++i) {
            for (const float bad : {NAN, INFINITY, -INFINITY, 1e30F}) {
                std::vector<float> values = clean;
                values[i] = bad;
                EXPECT_FALSE(quick_look(features, values, width)) << width << " " << i;
                EXPECT_FALSE(quick_look(shares, values, width)) << width << " " << i;
            }
            std::vector<float> values = clean;
            values[i] += 0.0011F;
            EXPECT_FALSE(quick_look(shares, values, width)) << width << " " << i;
            values[i] = -0.5F;
            values[i / width * width + (i + 1) % width] += 0.5F + 1.0F / static_cast<float>(width);
            EXPECT_FALSE(quick_look(shares, values, width)) << width << " " << i;
        }
    }
}

TEST(RowRules, quick_look_sees_rows_without_length) {
    for (const std::int64_t width : {1, 2, 15, 16, 64}) {
        for (std::int64_t row = 0; row < 9; ++row) {
            std::vector<float> values(static_cast<std::size_t>(9 * width), 1.0F);
            std::fill_n(values.begin() + row * width, width, 0.0F);
            EXPECT_FALSE(quick_look({Kind::features, 1}, values, width)) << width << " " << row;
            values[static_cast<std::size_t>(row * width + width - 1)] = 1.0F;
            EXPECT_TRUE(quick_look({Kind::features, 1}, values, width)) << width << " " << row;
        }
    }
}

// Rows off by nearly the tolerance keep the rule; the quick look may only hand them on.
TEST(RowRules, quick_look_and_judgement_agree_near_the_tolerance) {
    for (const std::int64_t classes : {2, 10, 1000}) {
        const RowRule shares{Kind::distributions, classes};
        for (double off = -2e-3; off <= 2e-3; off += 1e-5) {
            std::vector<float> values = uniform_rows(8, classes);
            values.back() += static_cast<float>(off);
            const std::vector<double> last(values.end() - classes, values.end());
            if (quick_look(shares, values, classes)) {
                EXPECT_EQ(problem_of(shares, last), std::nullopt) << classes << " " << off;
            }
        }
    }
}

}  // namespace
}  // namespace sluice::pool
