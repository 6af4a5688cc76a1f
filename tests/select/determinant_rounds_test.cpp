/// maxdet, which looks at most rows by float32 bounds alone, against the greedy with one float64
/// pass over all rows for each pick: the same picks and values to the bit.

#include "plain_maxdet.hpp"
#include "support/mpi_main.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace sluice::select {
namespace {

using test::List;
using test::make_list;
using test::options_of;
using test::plain_maxdet;
using test::Split;

DiverseBatch expect_plain_picks(const List& list, const DiversityOptions& options) {
    const std::vector<DiversePick> expected = plain_maxdet(list, options);
    DiverseBatch batch;
    for (const Split split : {Split::interleaved, Split::last_rank}) {
        DiversityOptions own = options;
        own.num_threads = split == Split::interleaved ? 2 : 1;
        batch = test::pick(list, "maxdet", own, sluice::test::world(), split);
        EXPECT_EQ(batch.picks.size(), expected.size());
        for (std::size_t i = 0; i < std::min(expected.size(), batch.picks.size()); ++i) {
            EXPECT_EQ(batch.picks[i].row, expected[i].row) << "pick " << i;
            EXPECT_EQ(batch.picks[i].value, expected[i].value) << "pick " << i;
        }
    }
    return batch;
}

// Rows near a plane of `rank` dimensions, as far as `noise` from it.
List flat_list(std::int64_t size, std::int64_t dim, std::int64_t rank, float noise) {
    List list = make_list(size, dim, 90, 0, 0);
    const List map = make_list(rank, dim, 91, 0, 0);
    std::mt19937 generator(92);
    std::normal_distribution<float> normal;
    for (std::int64_t i = 0; i < size; ++i) {
        float* const row = list.features.data() + i * dim;
        for (std::int64_t k = 0; k < dim; ++k)
            row[k] *= noise;
        for (std::int64_t r = 0; r < rank; ++r) {
            const float factor = normal(generator);
            for (std::int64_t k = 0; k < dim; ++k)
                row[k] += factor * map.at(r)[k];
        }
    }
    return list;
}

TEST(DeterminantRounds, pick_as_the_plain_greedy_from_normal_rows) {
    for (const double sigma : {3.0, 1e-3})
        expect_plain_picks(make_list(2500, 40, 81, 0, 0), options_of(150, {NAN, sigma, NAN}));
}

TEST(DeterminantRounds, pick_as_the_plain_greedy_from_copies) {
    List list = make_list(60, 12, 82, 0, 0);
    const std::size_t once = list.features.size();
    for (int copy = 0; copy < 9; ++copy) {
        for (std::size_t i = 0; i < once; ++i)
            list.features.push_back(list.features[i]);
        for (std::size_t i = 0; i < 60; ++i)
            list.scores.push_back(list.scores[i]);
    }
    for (const double strength : {0.0, 1.0})
        expect_plain_picks(list, options_of(200, {strength, 0.2, NAN}));
    expect_plain_picks(make_list(900, 4, 83, 3, 2), options_of(150, {1.0, 0.5, NAN}));
}

TEST(DeterminantRounds, pick_as_the_plain_greedy_from_flat_pools) {
    for (const float noise : {0.0F, 1e-5F, 0.03F})
        expect_plain_picks(flat_list(1500, 48, 5, noise), options_of(120, {NAN, 1e-2, NAN}));
}

// What is left is so small that float32 bounds say nothing of it.
TEST(DeterminantRounds, pick_as_the_plain_greedy_where_variances_are_tiny) {
    const List list = flat_list(1200, 24, 3, 1e-6F);
    for (const double sigma : {1e-4, 3e-6})
        expect_plain_picks(list, options_of(60, {NAN, sigma, NAN}));
    List scaled = make_list(800, 10, 84, 0, 0);
    for (float& value : scaled.features)
        value *= 1e-25F;
    expect_plain_picks(scaled, options_of(50, {NAN, 1e-26, NAN}));
}

TEST(DeterminantRounds, refuse_a_noise_that_float64_cannot_tell_from_none) {
    const List list = flat_list(200, 24, 3, 1e-6F);
    try {
        test::pick(list, "maxdet", options_of(20, {NAN, 1e-9, NAN}), sluice::test::world(),
                   Split::interleaved);
        FAIL() << "nothing was refused";
    } catch (const comm::AgreedError& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        EXPECT_THAT(error.what(), testing::StartsWith("--sigma: 1e-09 is lost in the rounding"));
    }
}

TEST(DeterminantRounds, refresh_few_rows) {
    const List list = make_list(20000, 16, 85, 0, 0);
    const DiverseBatch batch = expect_plain_picks(list, options_of(60, {NAN, 0.1, NAN}));
    EXPECT_LE(batch.rounds, 12);
    EXPECT_LE(batch.rows_refreshed, 60 * 20000 / 3);
}

TEST(DeterminantRounds, pick_everything_there_is) {
    expect_plain_picks(make_list(150, 5, 86, 0, 3), options_of(1000, {NAN, 0.1, NAN}));
}

}  // namespace
}  // namespace sluice::select
