#include "report/principal_axes.hpp"

#include "core/partition.hpp"
#include "core/philox.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace sluice::report {
namespace {

constexpr std::int64_t num_rows = 10'000;
constexpr std::int64_t dim = 11;

float number(std::int64_t row, std::int64_t column) {
    const Philox4 words =
        random_words(1, RandomPurpose::pool_values, 0, static_cast<std::uint64_t>(row),
                     static_cast<std::uint32_t>(column));
    return unit_float(words.word[0]) + unit_float(words.word[1]) - 1.0F;
}

// Two long directions at right angles, (1, 1, 0, ...) and (1, -1, 2, 0, ...), in a cloud.
std::vector<float> rows_between(RowRange range) {
    std::vector<float> rows;
    for (RowId row = range.begin; row < range.end; ++row) {
        const float along = 5.0F * number(row, 100);
        const float across = 1.5F * number(row, 101);
        for (std::int64_t column = 0; column < dim; ++column)
            rows.push_back(0.1F * number(row, column));
        float* last = rows.data() + rows.size() - dim;
        last[0] += along + across + 2.0F;
        last[1] += along - across;
        last[2] += 2.0F * across;
    }
    return rows;
}

PrincipalAxes axes_of_job() {
    comm::Communicator& world = test::world();
    return principal_axes(rows_between(part_of_rows(num_rows, world.rank(), world.size())), dim,
                          world);
}

TEST(PrincipalAxes, finds_the_two_long_directions) {
    const PrincipalAxes axes = axes_of_job();
    EXPECT_EQ(axes.rows, num_rows);
    EXPECT_NEAR(axes.axis[0][0], std::sqrt(0.5), 0.02);
    EXPECT_NEAR(axes.axis[0][1], std::sqrt(0.5), 0.02);
    EXPECT_NEAR(std::fabs(axes.axis[1][2]), std::sqrt(2.0 / 3.0), 0.02);
    EXPECT_NEAR(axes.mean[0], 2.0, 0.1);
    EXPECT_GT(axes.share[0] + axes.share[1], 0.99);
}

TEST(PrincipalAxes, are_the_same_bits_for_any_number_of_ranks) {
    const PrincipalAxes axes = axes_of_job();
    comm::Communicator alone;
    const PrincipalAxes reference = principal_axes(rows_between({0, num_rows}), dim, alone);
    EXPECT_EQ(axes.mean, reference.mean);
    EXPECT_EQ(axes.axis, reference.axis);
    EXPECT_EQ(axes.share, reference.share);
}

TEST(PrincipalAxes, of_rows_that_do_not_differ_vary_by_nothing) {
    comm::Communicator alone;
    const std::vector<float> same(3 * 4, 1.5F);
    const PrincipalAxes axes = principal_axes(same, 4, alone);
    EXPECT_EQ(axes.share[0], 0.0);
    EXPECT_EQ(axes.project(std::vector<float>(4, 1.5F), 0), 0.0);
}

TEST(PrincipalAxes, one_feature_has_one_axis) {
    comm::Communicator alone;
    const std::vector<float> rows = {1.0F, 2.0F, 3.0F};
    const PrincipalAxes axes = principal_axes(rows, 1, alone);
    EXPECT_NEAR(axes.share[0], 1.0, 1e-12);
    EXPECT_EQ(axes.share[1], 0.0);
    EXPECT_NEAR(axes.project(std::vector<float>{3.0F}, 0), 1.0, 1e-6);
}

}  // namespace
}  // namespace sluice::report
