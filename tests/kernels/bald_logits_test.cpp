// Mutual information of committees of logits against the long double oracle.
#include "kernels/simd/lane.hpp"
#include "score_fixture.hpp"
#include "support/divergence_oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <sstream>
#include <tuple>
#include <utility>
#include <vector>

namespace sluice::kernels {
namespace {

constexpr double tolerance = 1e-6;
constexpr double smallest_step = 1e-29;

/// Checks every row; returns the largest relative error of those above the smallest step.
double check_rows(const Rows& rows) {
    const std::vector<float> scores = scores_of("bald", rows);
    double worst = 0.0;
    for (std::int64_t row = 0; row < rows.count(); ++row) {
        const auto begin = rows.values.begin() + row * rows.elements();
        const double expected = oracle::bald_of_logits({begin, begin + rows.elements()},
                                                       static_cast<std::size_t>(rows.members));
        const double got = static_cast<double>(scores[static_cast<std::size_t>(row)]);
        const double error = std::abs(got - expected);
        EXPECT_TRUE(error <= tolerance * expected + smallest_step)
            << "row " << row << ": " << got << " is not " << expected << ", off by "
            << error / expected;
        if (error > smallest_step) worst = std::max(worst, error / expected);
    }
    return worst;
}

Rows committee(std::int64_t members, std::int64_t classes, std::vector<float> values) {
    return {std::move(values), members, classes, ScoreInput::committee_logits};
}

/// What members differ by, and the size of what they share.
struct Disagreement {
    float scale;   ///< of the logits
    float change;  ///< of a logit, relative to itself
    float offset;  ///< of a member as a whole
};

void append_row(Rows& rows, const Disagreement& how, std::mt19937& generator) {
    std::normal_distribution<float> normal;
    std::vector<float> shared;
    for (std::int64_t c = 0; c < rows.classes; ++c)
        shared.push_back(how.scale * normal(generator));
    for (std::int64_t m = 0; m < rows.members; ++m) {
        const float offset = how.offset * normal(generator);
        for (const float logit : shared)
            rows.values.push_back(logit * (1.0F + how.change * normal(generator)) + offset);
    }
}

class BaldOfLogits : public testing::TestWithParam<std::tuple<std::int64_t, std::int64_t, float>> {
};

TEST_P(BaldOfLogits, keeps_its_digits_however_much_members_agree) {
    const auto [classes, members, offset] = GetParam();
    std::mt19937 generator(21);
    Rows rows = committee(members, classes, {});
    const int repeats = static_cast<int>(3000 / (classes * members)) + 1;
    for (const float scale : {1e-3F, 1e-1F, 1.0F, 10.0F, 1e2F, 1e3F})
        for (const float change : {1e-7F, 1e-5F, 1e-3F, 1e-1F, 1.0F})
            for (int i = 0; i < std::min(repeats, 40); ++i)
                append_row(rows, {scale, change, offset}, generator);
    std::ostringstream worst;
    worst << check_rows(rows);
    RecordProperty("largest_relative_error", worst.str());
}

INSTANTIATE_TEST_SUITE_P(Committees, BaldOfLogits,
                         testing::Combine(testing::Values(2, 3, 10, 1000),
                                          testing::Values(2, 5, 20),
                                          testing::Values(0.0F, 100.0F, 1e4F)));

TEST(BaldOfLogitsRows, agrees_with_the_oracle_where_members_do_not) {
    for (const std::int64_t classes : {2, 3, 10, 65, 1000}) {
        SCOPED_TRACE(classes);
        check_rows(random_logits(classes == 1000 ? 60 : 300, 4, classes, 6));
    }
    check_rows(random_logits(20, 100, 7, 22));
}

TEST(BaldOfLogitsRows, single_float_steps_of_one_logit) {
    Rows rows = committee(2, 3, {});
    for (const float logit : {1e-30F, 1e-6F, 0.3F, 7.0F, -20.0F, -45.0F}) {
        const float next = std::nextafter(logit, 100.0F);
        rows.values.insert(rows.values.end(), {10.0F, logit, 9.5F, 10.0F, next, 9.5F});
    }
    check_rows(rows);
}

TEST(BaldOfLogitsRows, certain_and_tied_members) {
    // Each certain of another class; one certain and one undecided; ties that members break.
    check_rows(committee(2, 2, {50, -50, -50, 50}));
    check_rows(committee(2, 4, {100, 0, 0, 0, 1, 1, 1, 1}));
    check_rows(committee(3, 2, {1, 1, 1 + 0x1p-20F, 1, 1, 1 + 0x1p-20F}));
    std::vector<float> certain_and_flat(2000, 0.5F);
    for (const float height : {5.0F, 10.0F, 17.0F, 30.0F, 200.0F}) {
        certain_and_flat[1234] = height;
        check_rows(committee(2, 1000, certain_and_flat));
    }
    Rows many = committee(100, 100, std::vector<float>(10000, 0.0F));
    for (std::size_t m = 0; m < 100; ++m)
        many.values[m * 101] = 40.0F;
    check_rows(many);
}

TEST(BaldOfLogitsRows, members_that_agree_score_nothing) {
    const Rows single = random_logits(200, 1, 7, 23);
    Rows rows = committee(3, 7, {});
    for (std::int64_t row = 0; row < single.count(); ++row)
        for (int m = 0; m < 3; ++m)
            rows.values.insert(rows.values.end(), single.values.begin() + row * 7,
                               single.values.begin() + row * 7 + 7);
    for (const float score : scores_of("bald", rows))
        EXPECT_EQ(score, 0.0F);
}

TEST(BaldOfLogitsRows, ends_of_the_range) {
    check_rows(committee(2, 3, {1e4F, -1e4F, 0, 1e4F, -1e4F, 0}));
    check_rows(committee(2, 3, {1e4F, -1e4F, 0, -1e4F, 1e4F, 0}));
    check_rows(committee(2, 3, {-1e4F, -1e4F, -1e4F, 1e4F, 1e4F, 1e4F}));
    check_rows(committee(2, 3, {-1e4F, -1e4F, 0, 1e4F, 1e4F, 1e4F}));
    const float most = std::numeric_limits<float>::max();
    check_rows(committee(2, 3, {most, -most, 0, 0, most, -most}));
    check_rows(committee(2, 3, {-most, -most, -most, most, most, most}));
    check_rows(committee(2, 3, {most, std::nextafter(most, 0.0F), 0, 0, 1e-38F, -1e-38F}));
    check_rows(committee(2, 2, {1e30F, 1e30F, 3e6F, 3e6F + 1}));
}

TEST(BaldOfLogitsRows, values_that_are_not_finite_spoil_their_row_alone) {
    for (const float bad : {not_a_number, infinity, -infinity})
        for (std::size_t where = 0; where < 6; ++where) {
            Rows rows = committee(2, 3, {1, 2, 3, 1, 2, 4, 1, 2, 3, 1, 2, 4});
            rows.values[where] = bad;
            const std::vector<float> scores = scores_of("bald", rows);
            EXPECT_TRUE(std::isnan(scores[0])) << bad << " at " << where;
            EXPECT_GT(scores[1], 0.0F);
        }
}

}  // namespace
}  // namespace sluice::kernels
