#include "core/top_k.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>

namespace sluice {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<Candidate> best_by_sorting(std::vector<Candidate> all, std::size_t capacity) {
    std::erase_if(all, [](const Candidate& candidate) { return std::isnan(candidate.score); });
    std::sort(all.begin(), all.end(), better);
    all.resize(std::min(capacity, all.size()));
    return all;
}

// Few distinct values, so that ties decide often.
std::vector<float> scores_with_ties(std::size_t count, unsigned seed) {
    std::mt19937 random(seed);
    std::vector<float> scores(count);
    for (float& score : scores)
        score = static_cast<float>(random() % 50) * 0.1F;
    return scores;
}

TEST(TopK, equals_a_full_sort_for_every_capacity_and_block_size) {
    const std::vector<float> scores = scores_with_ties(5000, 1);
    std::vector<Candidate> all;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        all.push_back({scores[i], static_cast<RowId>(i)});
    }
    for (const std::size_t capacity : {1UL, 2UL, 10UL, 999UL, 5000UL, 9000UL}) {
        for (const std::size_t block : {1UL, 7UL, 1000UL, 5000UL}) {
            TopK top(capacity);
            for (std::size_t begin = 0; begin < scores.size(); begin += block) {
                const std::size_t count = std::min(block, scores.size() - begin);
                top.offer(std::span(scores).subspan(begin, count), static_cast<RowId>(begin));
            }
            ASSERT_EQ(top.take_sorted(), best_by_sorting(all, capacity));
        }
    }
}

TEST(TopK, does_not_depend_on_the_order_of_offers) {
    std::vector<Candidate> all;
    const std::vector<float> scores = scores_with_ties(4000, 2);
    for (std::size_t i = 0; i < scores.size(); ++i) {
        all.push_back({scores[i], static_cast<RowId>(i)});
    }
    const std::vector<Candidate> expected = best_by_sorting(all, 100);
    std::mt19937 random(3);
    for (int repeat = 0; repeat < 5; ++repeat) {
        std::shuffle(all.begin(), all.end(), random);
        TopK top(100);
        for (const Candidate& candidate : all)
            top.offer(candidate);
        ASSERT_EQ(top.take_sorted(), expected);
    }
}

TEST(TopK, keeps_the_best_of_all_magnitudes_and_signs) {
    std::mt19937 random(5);
    std::vector<Candidate> all;
    std::vector<float> scores;
    while (scores.size() < 50'000) {
        const auto score = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        if (std::isnan(score)) continue;
        all.push_back({score, std::ssize(scores)});
        scores.push_back(score);
    }
    for (const std::size_t capacity : {1UL, 100UL, 30'000UL}) {
        TopK top(capacity);
        top.offer(scores, 0);
        EXPECT_EQ(top.take_sorted(), best_by_sorting(all, capacity));
    }
}

TEST(VisitEntrants, visits_what_is_not_below_the_threshold_once_and_in_order) {
    std::vector<float> scores = scores_with_ties(1000, 6);
    for (std::size_t i = 0; i < scores.size(); i += 97)
        scores[i] = std::numeric_limits<float>::quiet_NaN();
    for (const float threshold : {-infinity, 2.0F, 4.9F, infinity}) {
        for (const std::size_t count : {0UL, 1UL, 31UL, 32UL, 33UL, 128UL, 1000UL}) {
            const auto some = std::span(scores).first(count);
            std::vector<std::size_t> expected;
            for (std::size_t i = 0; i < count; ++i)
                if (!(some[i] < threshold)) expected.push_back(i);
            std::vector<std::size_t> visited;
            visit_entrants(
                some, [&] { return threshold; },
                [&](std::size_t place) { visited.push_back(place); });
            EXPECT_EQ(visited, expected);
        }
    }
}

TEST(TopK, passes_over_nan_without_disturbing_the_others) {
    std::vector<float> scores = scores_with_ties(3000, 4);
    std::vector<Candidate> all;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (i % 7 == 0) scores[i] = std::numeric_limits<float>::quiet_NaN();
        all.push_back({scores[i], static_cast<RowId>(i)});
    }
    TopK top(50);
    top.offer(scores, 0);
    EXPECT_EQ(top.take_sorted(), best_by_sorting(all, 50));
}

TEST(TopK, keeps_infinite_and_equal_scores_in_row_order) {
    TopK top(3);
    const std::vector<float> scores = {-infinity, 1.0F, infinity, 1.0F, -0.0F, 0.0F};
    top.offer(scores, 10);
    EXPECT_EQ(top.take_sorted(), (std::vector<Candidate>{{infinity, 12}, {1.0F, 11}, {1.0F, 13}}));
    TopK zeros(2);
    zeros.offer(std::vector<float>{0.0F, -0.0F}, 0);
    const std::vector<Candidate> kept = zeros.take_sorted();
    EXPECT_EQ(kept.at(0).row, 0);
    EXPECT_EQ(kept.at(1).row, 1);
}

TEST(TopK, keeps_the_lowest_rows_when_all_scores_are_the_worst_there_is) {
    TopK top(2);
    top.offer(std::vector<float>(3000, -infinity), 0);
    EXPECT_EQ(top.take_sorted(), (std::vector<Candidate>{{-infinity, 0}, {-infinity, 1}}));
}

TEST(TopK, merges_to_what_one_collector_would_hold) {
    const std::vector<float> scores = scores_with_ties(6000, 5);
    TopK whole(64);
    whole.offer(scores, 0);
    TopK left(64);
    TopK right(64);
    left.offer(std::span(scores).first(1000), 0);
    right.offer(std::span(scores).subspan(1000), 1000);
    left.merge(right);
    EXPECT_EQ(left.take_sorted(), whole.take_sorted());
}

TEST(TopK, keeps_nothing_with_no_capacity) {
    TopK top(0);
    top.offer(std::vector<float>(10, 1.0F), 0);
    top.offer(Candidate{1.0F, 3});
    EXPECT_TRUE(top.take_sorted().empty());
}

TEST(TopK, can_be_filled_again_after_it_was_emptied) {
    TopK top(1);
    top.offer(Candidate{5.0F, 1});
    top.take_sorted();
    top.offer(Candidate{1.0F, 2});
    EXPECT_EQ(top.take_sorted(), (std::vector<Candidate>{{1.0F, 2}}));
}

TEST(Better, is_a_strict_total_order) {
    const std::vector<Candidate> all = {{2.0F, 1}, {2.0F, 5}, {1.0F, 0}, {-infinity, 0}};
    for (std::size_t i = 0; i < all.size(); ++i) {
        for (std::size_t j = 0; j < all.size(); ++j) {
            EXPECT_EQ(better(all[i], all[j]), i < j);
        }
    }
}

}  // namespace
}  // namespace sluice
