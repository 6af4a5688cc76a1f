#include "select/distinct.hpp"

#include "core/partition.hpp"
#include "select/shortlist.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace sluice::select {
namespace {

// Rows of few different features, whose score is a function of the features or, if `noisy`, not.
std::vector<DigestedCandidate> everyone(std::size_t count, unsigned kinds, unsigned noisy) {
    std::mt19937 random(kinds + noisy);
    std::vector<DigestedCandidate> all(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto kind = static_cast<float>(random() % kinds);
        const float features[2] = {kind, kind * 0.5F};
        const float score = static_cast<float>(static_cast<int>(kind) * 7 % 13 +
                                               static_cast<int>(noisy ? random() % noisy : 0));
        all[i] = {{score, static_cast<RowId>(i)}, row_digest(features)};
    }
    return all;
}

// The plain way: best of each digest in a map, then a full sort.
std::vector<Candidate> plainly(const std::vector<DigestedCandidate>& all, std::size_t capacity) {
    std::map<RowDigest, Candidate> best;
    for (const DigestedCandidate& one : all) {
        const auto [place, is_new] = best.try_emplace(one.digest, one.candidate);
        if (!is_new && better(one.candidate, place->second)) place->second = one.candidate;
    }
    std::vector<Candidate> result;
    for (const auto& [digest, candidate] : best)
        result.push_back(candidate);
    std::sort(result.begin(), result.end(), better);
    result.resize(std::min(capacity, result.size()));
    return result;
}

std::vector<DigestedCandidate> collect(const std::vector<DigestedCandidate>& all,
                                       std::size_t capacity) {
    DistinctTopK top(capacity);
    for (const DigestedCandidate& one : all)
        top.offer(one);
    return top.take_sorted();
}

std::vector<Candidate> candidates_of(const std::vector<DigestedCandidate>& digested) {
    std::vector<Candidate> result;
    for (const DigestedCandidate& one : digested)
        result.push_back(one.candidate);
    return result;
}

TEST(Distinct, digests_tell_rows_apart_and_not_their_zeros) {
    const float one[3] = {1.0F, 0.0F, 2.0F};
    const float same[3] = {1.0F, -0.0F, 2.0F};
    const float near[3] = {1.0F, 0x1p-149F, 2.0F};
    EXPECT_EQ(row_digest(one), row_digest(same));
    EXPECT_NE(row_digest(one), row_digest(near));
    // The first 128 bits of SHA-256 of no bytes (FIPS 180-4 example e3b0c442...).
    EXPECT_EQ(row_digest({}), (RowDigest{{0xe3b0c44298fc1c14U, 0x9afbf4c8996fb924U}}));
}

TEST(Distinct, collector_equals_the_plain_way_for_every_capacity_and_order) {
    for (const unsigned kinds : {1U, 30U, 4000U}) {
        for (const unsigned noisy : {0U, 40U}) {
            auto all = everyone(6000, kinds, noisy);
            for (const std::size_t capacity : {0UL, 1UL, 20UL, 1500UL, 6000UL}) {
                const std::vector<Candidate> expected = plainly(all, capacity);
                EXPECT_EQ(candidates_of(collect(all, capacity)), expected);
                std::shuffle(all.begin(), all.end(), std::mt19937(9));
                EXPECT_EQ(candidates_of(collect(all, capacity)), expected);
            }
        }
    }
}

TEST(Distinct, of_equal_rows_the_lowest_stays) {
    const auto all = everyone(1000, 5, 0);
    for (const DigestedCandidate& kept : collect(all, 5)) {
        const auto first = std::find_if(all.begin(), all.end(),
                                        [&](const auto& one) { return one.digest == kept.digest; });
        EXPECT_EQ(kept.candidate.row, first->candidate.row);
    }
}

TEST(Distinct, ranks_together_find_what_one_finds) {
    auto& world = test::world();
    for (const unsigned noisy : {0U, 40U}) {
        const auto all = everyone(5000, 700, noisy);
        const RowRange part =
            part_of_rows(static_cast<RowId>(all.size()), world.rank(), world.size());
        for (const std::int64_t size : {1, 20, 300, 5000}) {
            const std::vector<DigestedCandidate> mine = collect(
                {all.begin() + part.begin, all.begin() + part.end}, static_cast<std::size_t>(size));
            const std::vector<Candidate> kept =
                keep_global_best(keep_distinct(mine, world), size, world);
            auto found = world.all_gather(std::span<const Candidate>(kept));
            std::sort(found.begin(), found.end(), better);
            EXPECT_EQ(found, plainly(all, static_cast<std::size_t>(size)));
        }
    }
}

}  // namespace
}  // namespace sluice::select
