// The best of an array of scores as the device finds them, run on the CPU block by block and thread
// by thread; and, where a device is there, on it.
#include "kernels/top_rows.hpp"

#include "kernels/cuda/device.hpp"
#include "kernels/filtering_scorer.hpp"
#include "score_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace sluice::kernels {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Runs steps here, with shared memory that holds garbage before each block.
struct TwinLauncher {
    int num_runs = 0;
    int num_whole_counts = 0;  // of digits of the scores themselves

    template <class Step>
    void run(const Step& step, std::int64_t num_blocks) {
        ++num_runs;
        if constexpr (std::is_same_v<Step, CountStep<Scores32>>) ++num_whole_counts;
        SerialBlock<typename Step::Thread, Step::threads> block;
        typename Step::Shared shared;
        // The last blocks first: their order must not matter.
        for (std::int64_t index = num_blocks - 1; index >= 0; --index) {
            std::fill_n(reinterpret_cast<unsigned char*>(&shared), sizeof shared, 0xa5);
            step(block, shared, index);
        }
    }
    TopState read(const TopState* state) { return *state; }
};

/// On a multiple of 16 bytes, as on the device.
struct AlignedScores {
    explicit AlignedScores(const std::vector<float>& scores)
        : packs(scores.size() / FloatPack::size + 1), count(std::ssize(scores)) {
        std::copy(scores.begin(), scores.end(), packs.front().at);
    }
    Scores32 view() const { return {packs.front().at, count}; }

    std::vector<FloatPack> packs;
    std::int64_t count;
};

std::vector<Candidate> sorted(std::vector<Candidate> candidates) {
    std::sort(candidates.begin(), candidates.end(), better);
    return candidates;
}

std::vector<Candidate> expected_best(const std::vector<float>& scores, std::int64_t wanted) {
    std::vector<Candidate> all;
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (!std::isnan(scores[i])) all.push_back({scores[i], static_cast<RowId>(i)});
    all = sorted(std::move(all));
    all.resize(std::min(all.size(), static_cast<std::size_t>(wanted)));
    return all;
}

std::vector<Candidate> best_of(const std::vector<float>& scores, std::int64_t wanted,
                               TwinLauncher& launcher) {
    const AlignedScores aligned(scores);
    std::vector<ScoredPlace> sample(top_rows_detail::num_sampled);
    std::vector<ScoredPlace> passed(
        static_cast<std::size_t>(TopMemory::passed_room(wanted, aligned.count)));
    std::vector<ScoredPlace> best(static_cast<std::size_t>(wanted));
    TopState state{};
    const std::int64_t found = best_places(launcher, aligned.view(), wanted,
                                           {sample.data(), passed.data(), best.data(), &state});
    std::vector<Candidate> result;
    for (std::int64_t i = 0; i < found; ++i)
        result.push_back(
            {best[static_cast<std::size_t>(i)].score, best[static_cast<std::size_t>(i)].place});
    return sorted(std::move(result));
}

void expect_bits(const std::vector<Candidate>& found, const std::vector<Candidate>& expected) {
    ASSERT_EQ(found, expected);
    for (std::size_t i = 0; i < found.size(); ++i)  // -0 is not +0
        ASSERT_EQ(std::bit_cast<std::uint32_t>(found[i].score),
                  std::bit_cast<std::uint32_t>(expected[i].score));
}

enum class Order { random, ascending, descending, equal, few_values, with_nan, all_nan };

std::vector<float> scores_in(Order order, std::size_t count) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    std::vector<float> scores(count);
    for (std::size_t i = 0; i < count; ++i) {
        const float value = order == Order::few_values || order == Order::equal
                                ? 0.0F
                                : normal(random) * (i % 7 == 0 ? 1e-30F : 1.0F);
        scores[i] = value;
        if (order == Order::few_values) scores[i] = static_cast<float>(random() % 4) - 2.0F;
        if (order == Order::few_values && random() % 3 == 0) scores[i] = -0.0F;
        if (order == Order::all_nan || (order == Order::with_nan && random() % 3 == 0))
            scores[i] = i % 2 == 0 ? nan : -nan;
    }
    if (order == Order::ascending) std::sort(scores.begin(), scores.end());
    if (order == Order::descending) std::sort(scores.begin(), scores.end(), std::greater<>());
    return scores;
}

constexpr Order all_orders[] = {Order::random, Order::ascending,  Order::descending,
                                Order::equal,  Order::few_values, Order::with_nan,
                                Order::all_nan};

TEST(Keys, ascend_as_candidates_do) {
    const float inf = std::numeric_limits<float>::infinity();
    const std::vector<float> scores = {inf,     3.0F,  1e-42F, 0.0F, -0.0F,
                                       -1e-42F, -2.0F, -3e38F, -inf};
    for (const float a : scores)
        for (const float b : scores)
            for (const std::uint32_t place : {0U, 7U, 0xfffffffeU}) {
                const bool is_better = better(Candidate{a, place}, Candidate{b, 7});
                EXPECT_EQ(key_of({a, place}) < key_of({b, 7}), is_better) << a << " " << b;
            }
    EXPECT_GT(key_of({nan, 0}), key_of({-inf, 0xfffffffe}));
    EXPECT_GT(key_of({-nan, 0}), key_of({-inf, 0xfffffffe}));
}

TEST(TopRowsTwin, are_those_of_a_full_sort_whatever_the_order) {
    for (const Order order : all_orders)
        for (const std::size_t count : {1UL, 3UL, 2048UL, 5003UL})
            for (const std::int64_t wanted : {1, 2, 100, 2048, 6000}) {
                SCOPED_TRACE(testing::Message()
                             << static_cast<int>(order) << ": " << wanted << " of " << count);
                const std::vector<float> scores = scores_in(order, count);
                TwinLauncher launcher;
                expect_bits(best_of(scores, wanted, launcher), expected_best(scores, wanted));
            }
}

TEST(TopRowsTwin, take_a_bound_from_a_sample_where_there_are_many) {
    const std::size_t count = 2 * top_rows_detail::num_sampled + 12345;
    for (const Order order : {Order::random, Order::ascending, Order::equal, Order::few_values}) {
        SCOPED_TRACE(static_cast<int>(order));
        const std::vector<float> scores = scores_in(order, count);
        TwinLauncher launcher;
        expect_bits(best_of(scores, 3000, launcher), expected_best(scores, 3000));
        EXPECT_EQ(launcher.num_whole_counts, 0);  // the scores were read once, by the filter
    }
}

TEST(TopRowsTwin, count_everything_where_the_sample_misleads) {
    const std::size_t count = 2 * top_rows_detail::num_sampled + 999;
    std::vector<float> scores = scores_in(Order::random, count);
    // All numbers but some are NaN: more is wanted than a bound from the sample lets through.
    for (std::size_t i = 0; i < count; ++i)
        if (i % 5000 != 0) scores[i] = nan;
    TwinLauncher launcher;
    expect_bits(best_of(scores, 3000, launcher), expected_best(scores, 3000));
    EXPECT_EQ(launcher.num_whole_counts, 64 / digit_bits);
}

TEST(FilterTwin, lets_pass_what_is_better_and_what_has_no_score) {
    constexpr RowId first = 1000;
    for (const Order order : all_orders)
        for (const Candidate& threshold :
             {Candidate{-std::numeric_limits<float>::infinity(), std::numeric_limits<RowId>::max()},
              Candidate{0.0F, 0}, Candidate{0.0F, first + 1700}, Candidate{-0.0F, 1 << 20},
              Candidate{2.0F, first + 5}, Candidate{9.0F, first}}) {
            SCOPED_TRACE(testing::Message() << static_cast<int>(order) << ": better than "
                                            << threshold.score << " of " << threshold.row);
            const std::vector<float> scores = scores_in(order, 4501);
            const AlignedScores aligned(scores);
            std::vector<ScoredPlace> passed(scores.size());
            TopState state{};
            TwinLauncher launcher;
            queue_filter(
                launcher,
                FilterStep{aligned.view(), aligned.count, limit_of(threshold, first), Bound::limit,
                           NoScore::passes, passed.data(), aligned.count, &state});
            passed.resize(state.passed);
            std::sort(passed.begin(), passed.end(),
                      [](const auto& a, const auto& b) { return a.place < b.place; });
            std::size_t next = 0;
            std::size_t num_nan = 0;
            for (std::size_t i = 0; i < scores.size(); ++i) {
                const bool is_nan = std::isnan(scores[i]);
                if (!is_nan &&
                    !better(Candidate{scores[i], first + static_cast<RowId>(i)}, threshold))
                    continue;
                ASSERT_LT(next, passed.size());
                ASSERT_EQ(passed[next].place, i);
                ASSERT_EQ(std::bit_cast<std::uint32_t>(passed[next].score),
                          std::bit_cast<std::uint32_t>(scores[i]));
                num_nan += is_nan ? 1 : 0;
                ++next;
            }
            EXPECT_EQ(next, passed.size());
            EXPECT_EQ(state.no_score, num_nan);
        }
}

TEST(FilterTwin, writes_no_more_than_there_is_room_for) {
    const std::vector<float> scores(5000, 1.0F);
    const AlignedScores aligned(scores);
    std::vector<ScoredPlace> passed(101, {-1.0F, 0});
    TopState state{};
    TwinLauncher launcher;
    queue_filter(launcher,
                 FilterStep{aligned.view(), aligned.count, key_of({0.0F, 0}), Bound::limit,
                            NoScore::drops, passed.data(), std::int64_t{100}, &state});
    EXPECT_EQ(state.passed, 5000U);
    EXPECT_EQ(passed[99].score, 1.0F);
    EXPECT_EQ(passed[100].score, -1.0F);
}

TEST(FilterTwin, keeps_of_what_has_passed_the_best_and_what_has_no_score) {
    for (const Order order : {Order::random, Order::equal, Order::few_values, Order::with_nan}) {
        const std::vector<float> scores = scores_in(order, 3000);
        std::vector<ScoredPlace> passed;
        for (std::uint32_t place = 3000; place-- > 0;)
            passed.push_back({scores[place], place});
        std::vector<ScoredPlace> best(passed.size());
        TopState state{};
        TwinLauncher launcher;
        queue_cut(launcher, Places{passed.data()}, std::ssize(passed), 700, best.data(), &state);
        EXPECT_EQ(state.no_score, std::count_if(scores.begin(), scores.end(),
                                                [](float score) { return std::isnan(score); }));
        std::vector<Candidate> numbers;
        for (std::uint32_t i = 0; i < state.passed; ++i)
            if (!std::isnan(best[i].score)) numbers.push_back({best[i].score, best[i].place});
        expect_bits(sorted(std::move(numbers)), expected_best(scores, 700));
    }
}

TEST(CudaFilter, lets_pass_what_the_cpu_would) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    Rows rows = random_logits(300'000, 1, 3, 61);
    for (std::size_t i = 0; i < rows.values.size(); i += 1001)
        rows.values[i] = nan;
    const std::vector<float> scores = scores_of("entropy", rows);
    const auto scorer = make_scorer(Backend::cuda, find_score("entropy"), 1, 0);
    const auto* filtering = dynamic_cast<const FilteringScorer*>(scorer.get());
    ASSERT_NE(filtering, nullptr);
    ScoreBlock block = rows.block();
    block.rows = {500, 500 + rows.count()};
    const Candidate threshold{0.9F, 1000};
    std::vector<Candidate> passed;
    filtering->score_passing(block, {threshold}, passed);
    std::size_t next = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const Candidate candidate{scores[i], 500 + static_cast<RowId>(i)};
        if (!std::isnan(scores[i]) && !better(candidate, threshold)) continue;
        ASSERT_LT(next, passed.size());
        ASSERT_EQ(passed[next].row, candidate.row);
        ASSERT_TRUE(std::isnan(scores[i]) || passed[next].score == scores[i]);
        ++next;
    }
    EXPECT_EQ(next, passed.size());
    std::vector<Candidate> best;
    filtering->score_passing(block, {threshold, 50}, best);
    std::erase_if(best, [](const Candidate& candidate) { return std::isnan(candidate.score); });
    best = sorted(std::move(best));
    std::erase_if(passed, [](const Candidate& candidate) { return std::isnan(candidate.score); });
    passed = sorted(std::move(passed));
    ASSERT_GE(best.size(), 50U);
    for (std::size_t i = 0; i < 50; ++i)
        EXPECT_EQ(best[i], passed[i]);
}

}  // namespace
}  // namespace sluice::kernels
