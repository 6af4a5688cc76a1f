#include "select/distinct.hpp"

#include "core/partition.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <map>

namespace sluice::select {
namespace {

// Rows whose content is their number modulo `contents`, with scores that repeat.
DistinctCandidate made_row(RowId row, RowId contents) {
    const auto score = static_cast<float>((row * 7919) % 13);
    return {{score, row}, {static_cast<std::uint64_t>(row % contents), 17}};
}

// The `count` best of different content, from the definition.
std::vector<Candidate> expected(RowRange rows, RowId contents, std::size_t count) {
    std::map<std::uint64_t, Candidate> best;
    for (RowId row = rows.begin; row < rows.end; ++row) {
        const DistinctCandidate made = made_row(row, contents);
        const auto [entry, is_new] = best.try_emplace(made.content.high, made.candidate);
        if (!is_new && better(made.candidate, entry->second)) entry->second = made.candidate;
    }
    std::vector<Candidate> result;
    for (const auto& [content, candidate] : best)
        result.push_back(candidate);
    std::sort(result.begin(), result.end(), better);
    result.resize(std::min(result.size(), count));
    return result;
}

std::vector<Candidate> candidates_of(const std::vector<DistinctCandidate>& entries) {
    std::vector<Candidate> result;
    for (const DistinctCandidate& entry : entries)
        result.push_back(entry.candidate);
    return result;
}

TEST(Distinct, content_tells_rows_apart_by_their_bits) {
    const std::vector<float> row = {1.0F, 0.0F, -2.5F};
    const std::vector<float> negative_zero = {1.0F, -0.0F, -2.5F};
    const std::vector<float> other = {
        1.0F, 0.0F, std::nextafter(-2.5F, std::numeric_limits<float>::infinity())};

    EXPECT_EQ(content_of(row), content_of(negative_zero));
    EXPECT_NE(content_of(row), content_of(other));
    EXPECT_NE(content_of(row), content_of(std::span(row).first(2)));
}

TEST(Distinct, keeps_the_best_of_each_content_in_any_order) {
    const RowRange rows{0, 20'000};
    for (const RowId contents : {1, 5, 300, 9'000}) {
        DistinctTopK upwards(100);
        DistinctTopK downwards(100);
        for (RowId row = rows.begin; row < rows.end; ++row) {
            upwards.offer(made_row(row, contents));
            downwards.offer(made_row(rows.end - 1 - row, contents));
        }
        const std::vector<Candidate> wanted = expected(rows, contents, 100);
        EXPECT_EQ(candidates_of(upwards.take_sorted()), wanted) << contents;
        EXPECT_EQ(candidates_of(downwards.take_sorted()), wanted) << contents;
    }
}

TEST(Distinct, of_no_capacity_keeps_nothing) {
    DistinctTopK none(0);
    none.offer(made_row(3, 2));
    EXPECT_TRUE(none.take_sorted().empty());
}

TEST(Distinct, copies_on_other_ranks_are_dropped) {
    comm::Communicator& world = test::world();
    const RowRange all{0, 5'000};
    const RowRange mine = part_of_rows(all.size(), world.rank(), world.size());
    DistinctTopK top(200);
    for (RowId row = mine.begin; row < mine.end; ++row)
        top.offer(made_row(row, 700));

    const std::vector<Candidate> kept = drop_copies(top.take_sorted(), world);

    EXPECT_TRUE(std::is_sorted(kept.begin(), kept.end(), better));
    std::vector<Candidate> of_all = world.all_gather(std::span<const Candidate>(kept));
    std::sort(of_all.begin(), of_all.end(), better);
    of_all.resize(std::min<std::size_t>(of_all.size(), 200));
    EXPECT_EQ(of_all, expected(all, 700, 200));
}

}  // namespace
}  // namespace sluice::select
