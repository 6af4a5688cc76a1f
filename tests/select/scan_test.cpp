#include "select/scan.hpp"

#include "core/philox.hpp"
#include "select/score_catalog.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::select {
namespace {

// A pool without datasets: enough for the score that reads nothing.
pool::Pool rows_only(RowId num_rows) {
    pool::Pool pool;
    pool.num_rows = num_rows;
    return pool;
}

Plan random_plan(std::int64_t shortlist, std::int64_t block_rows, int num_threads) {
    Plan plan;
    plan.score = parse_score("random");
    plan.sources = {{"random", &find_catalog_score("random"), kernels::ScoreInput::none, ""}};
    plan.seed = 42;
    plan.round = 3;
    plan.shortlist_size = shortlist;
    plan.scan_size = shortlist;
    plan.block_rows = block_rows;
    plan.num_threads = num_threads;
    plan.num_buffers = num_threads;
    return plan;
}

ScanResult scan(RowId num_rows, const Plan& plan, RowRange rows, const TakenRows& taken) {
    const pool::Pool pool = rows_only(num_rows);
    return scan_rows(pool, plan, RowScorer(pool, plan), rows, taken);
}

// What the scan must give, from the definition of the score.
std::vector<Candidate> expected(RowRange rows, const std::vector<RowId>& excluded,
                                std::size_t count) {
    std::vector<Candidate> all;
    for (RowId row = rows.begin; row < rows.end; ++row) {
        if (std::count(excluded.begin(), excluded.end(), row) > 0) continue;
        const auto words =
            random_words(42, RandomPurpose::random_score, 3, static_cast<std::uint64_t>(row), 0);
        all.push_back({unit_float(words.word[0]), row});
    }
    std::sort(all.begin(), all.end(), better);
    all.resize(std::min(all.size(), count));
    return all;
}

TEST(Scan, keeps_the_best_rows_that_are_not_excluded) {
    const RowRange rows{100, 5100};
    const std::vector<RowId> excluded = {3, 100, 101, 777, 5099, 6000};
    for (const std::int64_t block_rows : {1, 64, 333, 100'000}) {
        for (const int num_threads : {1, 2, 5}) {
            const Plan plan = random_plan(200, block_rows, num_threads);
            const ScanResult result = scan(6001, plan, rows, {excluded, {}});
            EXPECT_EQ(result.best, expected(rows, excluded, 200));
            EXPECT_EQ(result.num_candidates, 5000 - 4);
            EXPECT_EQ(result.num_bad, 0);
        }
    }
}

TEST(Scan, shortlist_beyond_the_rows_keeps_them_all) {
    const ScanResult result = scan(50, random_plan(1000, 7, 2), {0, 50}, {});
    EXPECT_EQ(result.best.size(), 50U);
}

TEST(Scan, no_rows) {
    const ScanResult result = scan(0, random_plan(10, 7, 2), {0, 0}, {});
    EXPECT_TRUE(result.best.empty());
    EXPECT_EQ(result.num_candidates, 0);
}

}  // namespace
}  // namespace sluice::select
