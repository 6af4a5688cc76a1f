#include "select/shortlist.hpp"

#include "core/partition.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <span>

namespace sluice::select {
namespace {

// The job's candidates: the same on all ranks, of which each rank holds its contiguous share.
std::vector<Candidate> everyone(std::size_t count, int num_values, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<Candidate> all(count);
    for (std::size_t i = 0; i < count; ++i) {
        const int value = static_cast<int>(random() % static_cast<unsigned>(num_values));
        all[i] = {static_cast<float>(value - num_values / 2) * 0.37F,
                  static_cast<RowId>(i) * 3 + (RowId{1} << 40)};
    }
    return all;
}

std::vector<Candidate> share_of(const std::vector<Candidate>& all) {
    const auto& world = test::world();
    const RowRange part = part_of_rows(static_cast<RowId>(all.size()), world.rank(), world.size());
    return {all.begin() + part.begin, all.begin() + part.end};
}

std::vector<Candidate> kept_by_all(const std::vector<Candidate>& all, std::int64_t size) {
    const std::vector<Candidate> mine = keep_global_best(share_of(all), size, test::world());
    auto kept = test::world().all_gather(std::span<const Candidate>(mine));
    std::sort(kept.begin(), kept.end(), better);
    return kept;
}

TEST(Shortlist, equals_a_full_sort) {
    for (const int num_values : {1, 2, 7, 1000, 1'000'000}) {
        auto all = everyone(1000, num_values, 7);
        auto sorted = all;
        std::sort(sorted.begin(), sorted.end(), better);
        for (const std::int64_t size : {0, 1, 13, 500, 999, 1000, 5000}) {
            std::vector<Candidate> expected = sorted;
            expected.resize(std::min<std::size_t>(expected.size(), static_cast<std::size_t>(size)));
            EXPECT_EQ(kept_by_all(all, size), expected) << num_values << " values, size " << size;
        }
    }
}

TEST(Shortlist, negative_zero_ties_with_zero) {
    const std::vector<Candidate> all = {{0.0F, 4}, {-0.0F, 1}, {0.0F, 3}, {-1.0F, 0}};
    const auto kept = kept_by_all(all, 2);
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept[0].row, 1);
    EXPECT_EQ(kept[1].row, 3);
}

TEST(Shortlist, empty_job) {
    EXPECT_TRUE(kept_by_all({}, 5).empty());
}

TEST(Shortlist, balancing_keeps_rows_in_order_and_shares_even) {
    auto& world = test::world();
    const auto all = everyone(101, 50, 3);
    // Uneven on purpose: the last rank holds everything.
    const bool last = world.rank() == world.size() - 1;
    const auto mine = balance_by_row(last ? all : std::vector<Candidate>(), world);
    const auto fair = static_cast<std::size_t>(101 / world.size());
    EXPECT_GE(mine.size(), fair);
    EXPECT_LE(mine.size(), fair + 1);
    EXPECT_EQ(world.all_gather(std::span<const Candidate>(mine)), all);
}

}  // namespace
}  // namespace sluice::select
