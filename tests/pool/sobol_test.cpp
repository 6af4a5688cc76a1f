#include "pool/sobol.hpp"

#include "support/expect_error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace sluice::pool {
namespace {

std::vector<double> points_of(std::int64_t dims, std::uint64_t seed, RowRange rows) {
    std::vector<double> points(static_cast<std::size_t>(rows.size() * dims));
    SobolPoints(dims, seed).fill(rows, points);
    return points;
}

std::uint64_t digits_of(double value) {
    return static_cast<std::uint64_t>(value * 0x1p52);
}

// Point 0 is the shift itself, so that every other point less its digits is the plain sequence.
TEST(SobolPoints, without_the_shift_they_are_the_published_ones) {
    // SciPy 1.10.1, scipy.stats.qmc.Sobol(40, scramble=False): dimensions 1, 2, 3, 7, 21, 40.
    const std::vector<std::size_t> dims = {0, 1, 2, 6, 20, 39};
    const std::map<std::size_t, std::vector<double>> known = {
        {1, {0.5, 0.5, 0.5, 0.5, 0.5, 0.5}},
        {2, {0.75, 0.25, 0.25, 0.25, 0.25, 0.25}},
        {3, {0.25, 0.75, 0.75, 0.75, 0.75, 0.75}},
        {7, {0.125, 0.625, 0.375, 0.625, 0.875, 0.125}},
        {100, {0.4140625, 0.2578125, 0.7734375, 0.0234375, 0.7578125, 0.1328125}},
        {4095,
         {0.000244140625, 0.941162109375, 0.334228515625, 0.949462890625, 0.225830078125,
          0.227294921875}}};
    const std::vector<double> points = points_of(40, 5, {0, 4096});
    for (const auto& [row, values] : known) {
        for (std::size_t i = 0; i < dims.size(); ++i) {
            const std::uint64_t plain =
                digits_of(points[row * 40 + dims[i]]) ^ digits_of(points[dims[i]]);
            EXPECT_EQ(static_cast<double>(plain) * 0x1p-52, values[i]) << row << " " << dims[i];
        }
    }
}

TEST(SobolPoints, a_point_depends_on_its_row_alone) {
    const std::vector<double> all = points_of(7, 3, {0, 1000});
    for (const RowId begin : {0, 1, 255, 256, 511, 998}) {
        const std::vector<double> part = points_of(7, 3, {begin, begin + 2});
        for (std::size_t i = 0; i < part.size(); ++i)
            EXPECT_EQ(part[i], all[static_cast<std::size_t>(begin) * 7 + i]) << begin;
    }
    const std::vector<double> far = points_of(7, 3, {(RowId{1} << 48) - 2, RowId{1} << 48});
    for (const double value : far) {
        EXPECT_GT(value, 0.0);
        EXPECT_LT(value, 1.0);
    }
    EXPECT_NE(points_of(7, 4, {0, 1}), points_of(7, 3, {0, 1}));
}

// Every interval of length 2^-m holds exactly one of the first 2^m points, in every dimension and
// for every seed, and so it does for every later block of 2^m rows.
TEST(SobolPoints, every_dimension_is_stratified) {
    constexpr std::size_t count = 512;
    for (const std::uint64_t seed : {0U, 1U, 77U}) {
        for (const RowId begin : {0, 512, 1536}) {
            const std::vector<double> points = points_of(40, seed, {begin, begin + 512});
            for (std::size_t d = 0; d < 40; ++d) {
                std::set<std::size_t> intervals;
                for (std::size_t row = 0; row < count; ++row)
                    intervals.insert(static_cast<std::size_t>(points[row * 40 + d] * count));
                EXPECT_EQ(intervals.size(), count) << "dimension " << d << " seed " << seed;
            }
        }
    }
}

// How many points each of the boxes 2^-a by 2^-b by 2^-c holds, as the set of these counts.
std::set<int> counts_in_boxes(const std::vector<double>& points, int a, int b, int c) {
    std::vector<int> counts(std::size_t{1} << (a + b + c));
    for (std::size_t at = 0; at < points.size(); at += 3) {
        const auto x = static_cast<std::size_t>(std::ldexp(points[at], a));
        const auto y = static_cast<std::size_t>(std::ldexp(points[at + 1], b));
        const auto z = static_cast<std::size_t>(std::ldexp(points[at + 2], c));
        ++counts[(((x << b) + y) << c) + z];
    }
    return {counts.begin(), counts.end()};
}

// The first two dimensions are a net of quality 0, the first three of quality 1 (the sum of the
// polynomials' degrees less one each): all elementary boxes hold exactly their share.
TEST(SobolPoints, elementary_boxes_hold_exactly_their_share) {
    constexpr int m = 9;
    const std::vector<double> points = points_of(3, 12, {0, 1 << m});
    for (int a = 0; a <= m; ++a) {
        EXPECT_EQ(counts_in_boxes(points, a, m - a, 0), std::set<int>{1}) << a;
        for (int b = 0; a + b <= m - 1; ++b) {
            EXPECT_EQ(counts_in_boxes(points, a, b, m - 1 - a - b), std::set<int>{2}) << a << b;
        }
    }
}

TEST(SobolPoints, more_dimensions_than_directions_are_refused) {
    test::expect_error(ExitCode::internal, "41", [] { SobolPoints(41, 0); });
    test::expect_error(ExitCode::internal, "0", [] { SobolPoints(0, 0); });
}

}  // namespace
}  // namespace sluice::pool
