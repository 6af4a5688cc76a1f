#include "study/batch_choice.hpp"

#include "kernels/nearest_center.hpp"
#include "kernels/random_score.hpp"
#include "tests/study/study_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>

namespace sluice::study {
namespace {

using Locals = std::vector<std::int64_t>;
constexpr float infinity = std::numeric_limits<float>::infinity();

// Rows in memory, the labeled ones, and a plain version of each stage.
class Choice : public ::testing::Test {
  protected:
    explicit Choice() : set_(test::three_clouds(400)), open_(400, 1) {
        rules_.batch = 10;
        for (const std::int64_t local : labeled_)
            open_[static_cast<std::size_t>(local)] = 0;
    }

    BatchChoice make(const Strategy& strategy) {
        BatchChoice choice({set_.rows, set_.features, 2}, strategy, rules_, 5);
        choice.add_centers(labeled_);
        choice.score(nullptr, 3);
        return choice;
    }

    float score(std::int64_t local) const {
        return kernels::RandomScore{5, 3}(set_.rows[static_cast<std::size_t>(local)]);
    }

    // The best of those that are open, by sorting; of copies the first.
    Locals best(std::size_t count, Strategy::Count how = Strategy::Count::rows) const {
        Locals order;
        for (std::int64_t i = 0; i < set_.size(); ++i) {
            if (open_[static_cast<std::size_t>(i)] != 0) order.push_back(i);
        }
        std::stable_sort(order.begin(), order.end(), [&](std::int64_t left, std::int64_t right) {
            return score(left) > score(right);
        });
        Locals kept;
        std::set<std::pair<float, float>> seen;
        for (const std::int64_t local : order) {
            const float* place = row(local);
            if (!seen.insert({place[0], place[1]}).second && how == Strategy::Count::distinct_rows)
                continue;
            if (kept.size() < count) kept.push_back(local);
        }
        return kept;
    }

    // One farthest row after the other.
    Locals farthest(Locals shortlist, std::size_t count) const {
        std::sort(shortlist.begin(), shortlist.end());
        Locals centers = labeled_;
        Locals picks;
        while (picks.size() < std::min(count, shortlist.size())) {
            Candidate winner{-1.0F, std::numeric_limits<RowId>::max()};
            for (const std::int64_t local : shortlist) {
                if (std::count(picks.begin(), picks.end(), local) > 0) continue;
                float nearest = infinity;
                for (const std::int64_t center : centers)
                    nearest =
                        std::min(nearest, kernels::squared_distance(row(local), row(center), 2));
                if (better({nearest, local}, winner)) winner = {nearest, local};
            }
            picks.push_back(winner.row);
            centers.push_back(winner.row);
        }
        return picks;
    }

    const float* row(std::int64_t local) const { return set_.features.data() + 2 * local; }

    model::TrainingSet set_;
    std::vector<std::uint8_t> open_;
    Locals labeled_ = {7, 100, 250};
    StudyRules rules_;
};

TEST_F(Choice, without_diversity_the_best_scores_win) {
    EXPECT_EQ(make(random_strategy()).choose(open_, 10), best(10));
    EXPECT_EQ(make(random_strategy()).choose(open_, 4), best(4));
}

TEST_F(Choice, two_stages_are_the_plain_ones) {
    for (const double factor : {1.0, 3.0, 10.0, 1000.0}) {
        const Strategy strategy{"two", "random", "k_center", factor, Strategy::Count::rows};
        const auto size = static_cast<std::size_t>(std::min(10.0 * factor, 400.0));
        EXPECT_EQ(make(strategy).choose(open_, 10), farthest(best(size), 10)) << factor;
    }
}

TEST_F(Choice, factor_one_is_the_best_scores_and_all_is_k_center) {
    const Strategy one{"one", "random", "k_center", 1.0, Strategy::Count::rows};
    Locals chosen = make(one).choose(open_, 10);
    Locals expected = best(10);
    std::sort(chosen.begin(), chosen.end());
    std::sort(expected.begin(), expected.end());
    EXPECT_EQ(chosen, expected);
    const Strategy all{"all", "random", "k_center", infinity, Strategy::Count::rows};
    EXPECT_EQ(make(all).choose(open_, 10), farthest(best(400), 10));
}

TEST_F(Choice, distinct_counts_copies_once) {
    for (std::size_t i = 0; i < 400; ++i) {  // 40 places, ten rows each
        set_.features[2 * i] = set_.features[2 * (i % 40)];
        set_.features[2 * i + 1] = set_.features[2 * (i % 40) + 1];
    }
    const auto how = Strategy::Count::distinct_rows;
    const Strategy strategy{"two", "random", "k_center", 3.0, how};
    EXPECT_EQ(make(strategy).choose(open_, 10), farthest(best(30, how), 10));
    const Strategy plain{"two", "random", "k_center", 3.0, Strategy::Count::rows};
    EXPECT_EQ(make(plain).choose(open_, 10), farthest(best(30), 10));
    EXPECT_NE(make(plain).choose(open_, 10), make(strategy).choose(open_, 10));
}

// Those of the local rows with the highest keys.
Locals highest(const Locals& locals, const std::vector<float>& keys, std::size_t count) {
    std::vector<Candidate> all;
    for (std::size_t i = 0; i < locals.size(); ++i)
        all.push_back({keys[i], locals[i]});
    std::sort(all.begin(), all.end(), better);
    Locals result;
    for (std::size_t i = 0; i < count; ++i)
        result.push_back(all[i].row);
    return result;
}

TEST_F(Choice, noise_is_of_the_rows_numbers) {
    Strategy strategy = random_strategy();
    strategy.randomization = select::parse_randomization("power:2");
    const Locals open = best(397);
    std::vector<float> keys;
    for (const std::int64_t local : open) {
        keys.push_back(score(local));
        select::perturb_scores(strategy.randomization, 5, 3,
                               set_.rows[static_cast<std::size_t>(local)], std::span(keys).last(1));
    }
    EXPECT_EQ(make(strategy).choose(open_, 10), highest(open, keys, 10));
    EXPECT_NE(make(strategy).choose(open_, 10), best(10));
}

TEST_F(Choice, ranks_are_drawn_from_ten_shortlists) {
    Strategy strategy = random_strategy();
    strategy.randomization = select::parse_randomization("softrank:1.5");
    const Locals ranked = best(100);
    std::vector<float> keys;
    for (std::size_t i = 0; i < ranked.size(); ++i) {
        const RowId row = set_.rows[static_cast<std::size_t>(ranked[i])];
        keys.push_back(select::rank_key(1.5, static_cast<std::int64_t>(i) + 1,
                                        select::gumbel_noise(5, 3, row)));
    }
    EXPECT_EQ(make(strategy).choose(open_, 10), highest(ranked, keys, 10));
}

TEST_F(Choice, expressions_and_scores_of_features) {
    const Locals open = best(397);
    std::vector<float> sums;
    for (const std::int64_t local : open) {
        const double norm =
            std::hypot(static_cast<double>(row(local)[0]), static_cast<double>(row(local)[1]));
        sums.push_back(static_cast<float>(2.0 * static_cast<double>(score(local)) +
                                          static_cast<double>(static_cast<float>(norm))));
    }
    Strategy strategy = random_strategy();
    strategy.score = "2*random + feature_norm";
    EXPECT_EQ(make(strategy).choose(open_, 10), highest(open, sums, 10));
}

TEST_F(Choice, scores_of_features_know_the_labeled_rows) {
    Strategy strategy = random_strategy();
    for (const char* score : {"posterior_variance", "extrapolation_grade", "eer"}) {
        strategy.score = score;
        BatchChoice choice = make(strategy);
        const Locals before = choice.choose(open_, 10);
        choice.add_centers(before);
        choice.score(nullptr, 4);
        EXPECT_NE(choice.choose(open_, 10), before) << score;
    }
}

TEST_F(Choice, more_than_there_are_gives_all_once) {
    std::fill(open_.begin(), open_.end(), std::uint8_t{0});
    open_[3] = open_[9] = 1;
    const Strategy strategy{"two", "random", "k_center", 3.0, Strategy::Count::rows};
    EXPECT_EQ(make(strategy).choose(open_, 10), farthest({3, 9}, 2));
    EXPECT_EQ(make(random_strategy()).choose(open_, 10).size(), 2U);
    open_[3] = open_[9] = 0;
    EXPECT_TRUE(make(strategy).choose(open_, 10).empty());
}

TEST_F(Choice, cosine_needs_directions) {
    rules_.metric = "cosine";
    const Strategy strategy{"two", "random", "k_center", 3.0, Strategy::Count::rows};
    model::TrainingSet scaled = set_;
    for (std::size_t i = 0; i < scaled.features.size(); ++i)
        scaled.features[i] *= i / 2 % 2 == 0 ? 1.0F : 8.0F;  // exact: same directions
    const Locals chosen = make(strategy).choose(open_, 10);
    std::swap(set_, scaled);
    EXPECT_EQ(make(strategy).choose(open_, 10), chosen);
    set_.features[10] = set_.features[11] = 0.0F;
    test::expect_error(ExitCode::bad_data, "features[18]", [&] { make(strategy); });
}

}  // namespace
}  // namespace sluice::study
