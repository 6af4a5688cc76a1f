// A scorer that lets only some scores of a block come back changes nothing of what a scan says.
#include "kernels/filtering_scorer.hpp"
#include "scored_pool.hpp"
#include "select/scan.hpp"
#include "select/score_catalog.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <filesystem>
#include <limits>

namespace sluice::select {
namespace {

using test::ScoredRows;

std::atomic<std::int64_t> num_told{0};

/// Tells of the CPU's scores what a filter lets through.
class ToldScorer : public kernels::FilteringScorer {
  public:
    explicit ToldScorer(std::unique_ptr<kernels::Scorer> cpu) : cpu_(std::move(cpu)) {}

    void score(const kernels::ScoreBlock& block, std::span<float> scores) const override {
        cpu_->score(block, scores);
    }
    void score_passing(const kernels::ScoreBlock& block, const kernels::RowFilter& filter,
                       std::vector<Candidate>& passed) const override {
        std::vector<float> scores(static_cast<std::size_t>(block.rows.size()));
        cpu_->score(block, scores);
        std::vector<Candidate> numbers;
        for (std::size_t i = 0; i < scores.size(); ++i) {
            const Candidate candidate{scores[i], block.rows.begin + static_cast<RowId>(i)};
            if (std::isnan(scores[i])) passed.push_back(candidate);
            if (better(candidate, filter.threshold)) numbers.push_back(candidate);
        }
        std::sort(numbers.begin(), numbers.end(), better);
        numbers.resize(std::min(numbers.size(), static_cast<std::size_t>(filter.most)));
        passed.insert(passed.end(), numbers.begin(), numbers.end());
        std::sort(passed.begin(), passed.end(),
                  [](const Candidate& a, const Candidate& b) { return a.row < b.row; });
        num_told += std::ssize(passed);
    }

  private:
    std::unique_ptr<kernels::Scorer> cpu_;
};

std::unique_ptr<kernels::Scorer> make_told_scorer(const Plan& plan, const ScoreSource& source) {
    return std::make_unique<ToldScorer>(make_scorer(plan, source));
}

class ScanFilter : public testing::Test {
  protected:
    ScanFilter()
        : path_(std::filesystem::temp_directory_path() /
                ("sluice_filter." + std::to_string(::getpid()) + ".h5")) {
        ScoredRows made = test::make_scored_rows();
        for (const std::size_t row : {31UL, 77UL, 150UL})
            made.logits[row * ScoredRows::classes + 1] = std::nanf("");
        test::write_scored_pool(path_.string(), made, test::Kind::logit);
        comm::Communicator alone;
        pool_ = pool::open_pool({{path_.string()}}, alone);
    }
    ~ScanFilter() override { std::filesystem::remove(path_); }

    static Plan entropy_plan(std::int64_t size, std::int64_t block_rows, int num_threads) {
        Plan plan;
        plan.score = parse_score("entropy");
        plan.sources = {{"entropy", &find_catalog_score("entropy"), kernels::ScoreInput::logits,
                         "probabilities"}};
        plan.shortlist_size = plan.scan_size = size;
        plan.block_rows = block_rows;
        plan.num_threads = plan.num_buffers = num_threads;
        return plan;
    }

    void expect_the_same(const Plan& plan) {
        const RowRange rows{2, ScoredRows::rows};
        const TakenRows taken{{40, 77, 203}, {200}};
        const ScanResult plain = scan_rows(pool_, plan, RowScorer(pool_, plan), rows, taken);
        num_told = 0;
        const RowScorer telling(pool_, plan, {}, make_told_scorer);
        const ScanResult filtered = scan_rows(pool_, plan, telling, rows, taken);
        EXPECT_EQ(num_told > 0, telling.can_filter());
        EXPECT_EQ(filtered.best, plain.best);
        ASSERT_EQ(filtered.distinct.size(), plain.distinct.size());
        for (std::size_t i = 0; i < plain.distinct.size(); ++i)
            EXPECT_EQ(filtered.distinct[i].candidate, plain.distinct[i].candidate);
        EXPECT_EQ(filtered.num_candidates, plain.num_candidates);
        EXPECT_EQ(filtered.num_beyond_trust, plain.num_beyond_trust);
        EXPECT_EQ(filtered.num_unwanted, plain.num_unwanted);
        EXPECT_EQ(filtered.num_bad, 3);
        EXPECT_EQ(filtered.first_bad, 31);
        EXPECT_EQ(filtered.first_bad_reason, plain.first_bad_reason);
        EXPECT_NE(filtered.first_bad_reason, "");
    }

    template <class Change>
    void expect_the_same_of_all_shapes(const Change& change) {
        for (const std::int64_t size : {1, 5, 40, 1000})
            for (const std::int64_t block_rows : {7, 64, 1000})
                for (const int num_threads : {1, 3}) {
                    SCOPED_TRACE(testing::Message() << size << " best, blocks of " << block_rows
                                                    << ", " << num_threads << " threads");
                    Plan plan = entropy_plan(size, block_rows, num_threads);
                    change(plan);
                    expect_the_same(plan);
                }
    }

    std::filesystem::path path_;
    pool::Pool pool_;
};

TEST_F(ScanFilter, finds_the_same_rows) {
    expect_the_same_of_all_shapes([](Plan&) {});
}

TEST_F(ScanFilter, counts_what_is_beyond_trust) {
    expect_the_same_of_all_shapes([](Plan& plan) { plan.trust = {0.4F, 1.1F}; });
    expect_the_same_of_all_shapes([](Plan& plan) { plan.trust.low = 0.9F; });
}

TEST_F(ScanFilter, keeps_looking_for_rows_of_other_features) {
    expect_the_same_of_all_shapes([](Plan& plan) { plan.copies = Copies::drop; });
}

TEST_F(ScanFilter, gives_way_to_what_looks_at_every_row) {
    Plan plan = entropy_plan(20, 64, 1);
    plan.conditions = parse_conditions("column:length >= 3");
    EXPECT_FALSE(RowScorer(pool_, plan, {}, make_told_scorer).can_filter());
    expect_the_same(plan);
    plan.conditions.clear();
    plan.randomization.kind = Randomization::Kind::power;
    EXPECT_FALSE(RowScorer(pool_, plan, {}, make_told_scorer).can_filter());
}

}  // namespace
}  // namespace sluice::select
