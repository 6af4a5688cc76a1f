#include "study/simulated_run.hpp"

#include "core/error.hpp"
#include "study/study_split.hpp"
#include "tests/study/study_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

namespace sluice::study {
namespace {

using model::Task;

Strategy two_stage() {
    return {"two_stage", "margin", "k_center", 4.0, Strategy::Count::rows};
}

// The bits of every point, measures that do not exist left out.
std::vector<double> bits(const std::vector<RunPoint>& points) {
    std::vector<double> numbers;
    for (const RunPoint& point : points) {
        numbers.insert(numbers.end(),
                       {static_cast<double>(point.round), static_cast<double>(point.labels),
                        static_cast<double>(point.asked), point.cost});
        numbers.insert(numbers.end(), std::begin(point.values), std::end(point.values));
    }
    return numbers;
}

std::vector<double> run_bits(const model::TrainingSet& truth, const Strategy& strategy,
                             const StudyRules& rules, std::uint64_t seed) {
    return bits(simulate_run(test::study_of(truth), strategy, rules, seed, {}));
}

// Which items a run asks for: those whose hidden label, changed alone, changes what is learned or
// counted. Found by cost: an item that is asked costs what no other does.
std::set<std::int64_t> asked_items(const model::TrainingSet& truth, const Strategy& strategy,
                                   const StudyRules& rules, std::uint64_t seed) {
    std::set<std::int64_t> asked;
    StudyData data = test::study_of(truth);
    for (std::int64_t item = 0; item < truth.size(); ++item) {
        data.pool.cost.assign(static_cast<std::size_t>(truth.size()), 1.0);
        data.pool.cost[static_cast<std::size_t>(item)] = 1000.0;
        const auto points = simulate_run(data, strategy, rules, seed, {});
        if (points.back().cost > 1000.0) asked.insert(item);
    }
    return asked;
}

TEST(SimulatedRun, hidden_labels_do_not_leak) {
    const model::TrainingSet truth = test::three_clouds(60);
    StudyRules rules = test::quick_rules(Task::classification);
    rules.rounds = 2;
    const StudyData data = test::study_of(truth);
    for (const Strategy& strategy : {two_stage(), random_strategy()}) {
        const std::set<std::int64_t> asked = asked_items(truth, strategy, rules, 3);
        ASSERT_EQ(asked.size(), 22U);  // 12 at the start, 2 rounds of 5
        const StudySplit split = split_items(data.pool, rules.split, 3, data.labels);
        model::TrainingSet lied = truth;
        std::int64_t changed = 0;
        for (const std::int64_t item : split.pool) {
            if (asked.contains(item)) continue;
            auto& label = lied.classes[static_cast<std::size_t>(item)];
            label = (label + 1 + static_cast<std::int32_t>(changed++ % 2)) % 3;
        }
        ASSERT_EQ(changed, static_cast<std::int64_t>(split.pool.size()) - 22);
        EXPECT_EQ(run_bits(lied, strategy, rules, 3), run_bits(truth, strategy, rules, 3));
    }
}

// The test above would see a leak: labels that are asked for, or that test, do count.
TEST(SimulatedRun, labels_that_are_opened_count) {
    const model::TrainingSet truth = test::three_clouds(60);
    const StudyRules rules = test::quick_rules(Task::classification);
    const StudyData data = test::study_of(truth);
    const StudySplit split = split_items(data.pool, rules.split, 3, data.labels);
    for (const auto& items : {split.test, split.start_order}) {
        model::TrainingSet lied = truth;
        auto& label = lied.classes[static_cast<std::size_t>(items.front())];
        label = (label + 1) % 3;
        EXPECT_NE(run_bits(lied, two_stage(), rules, 3), run_bits(truth, two_stage(), rules, 3));
    }
}

// What is learned does not depend on the test part's labels, only what is measured does.
TEST(SimulatedRun, test_labels_reach_the_evaluator_only) {
    const model::TrainingSet truth = test::three_clouds(60);
    StudyRules rules = test::quick_rules(Task::classification);
    rules.rounds = 2;
    const StudyData data = test::study_of(truth);
    model::TrainingSet lied = truth;
    for (const std::int64_t item : split_items(data.pool, rules.split, 3, data.labels).test)
        lied.classes[static_cast<std::size_t>(item)] = 0;
    EXPECT_EQ(asked_items(lied, two_stage(), rules, 3), asked_items(truth, two_stage(), rules, 3));
}

TEST(SimulatedRun, arms_share_their_start_and_the_same_run_is_the_same) {
    const model::TrainingSet truth = test::three_clouds(200);
    const StudyRules rules = test::quick_rules(Task::classification);
    const StudyData data = test::study_of(truth);
    const auto active = simulate_run(data, two_stage(), rules, 8, {});
    const auto random = simulate_run(data, random_strategy(), rules, 8, {});
    EXPECT_EQ(bits({active.front()}), bits({random.front()}));
    EXPECT_NE(bits({active.back()}), bits({random.back()}));
    EXPECT_EQ(bits(active), bits(simulate_run(data, two_stage(), rules, 8, {})));
    EXPECT_NE(bits(active), bits(simulate_run(data, two_stage(), rules, 9, {})));
}

TEST(SimulatedRun, counts_labels_questions_and_cost) {
    StudyData data = test::study_of(test::three_clouds(200));
    data.pool.cost.assign(200, 2.5);
    StudyRules rules = test::quick_rules(Task::classification);
    const auto points = simulate_run(data, two_stage(), rules, 1, {});
    ASSERT_EQ(points.size(), 5U);
    for (std::size_t i = 0; i < points.size(); ++i) {
        EXPECT_EQ(points[i].round, static_cast<std::int64_t>(i));
        EXPECT_EQ(points[i].labels, 12 + 5 * points[i].round);
        EXPECT_EQ(points[i].asked, points[i].labels);
        EXPECT_EQ(points[i].cost, 2.5 * static_cast<double>(points[i].labels));
    }
}

TEST(SimulatedRun, a_budget_is_never_overspent_and_nearly_used_up) {
    StudyData data = test::study_of(test::three_clouds(200));
    for (std::size_t i = 0; i < 200; ++i)
        data.pool.cost.push_back(1.0 + static_cast<double>(i % 7));
    StudyRules rules = test::quick_rules(Task::classification);
    rules.rounds = 100;
    rules.budget = 151.5;
    for (const Strategy& strategy : {two_stage(), random_strategy()}) {
        const auto points = simulate_run(data, strategy, rules, 1, {});
        EXPECT_LE(points.back().cost, 151.5);
        EXPECT_GT(points.back().cost, 150.0);  // the cheapest label costs 1
    }
    data.pool.cost.clear();
    rules.budget = 50.0;
    EXPECT_EQ(simulate_run(data, two_stage(), rules, 1, {}).back().labels, 50);
}

TEST(SimulatedRun, score_per_cost_buys_more_labels) {
    StudyData data = test::study_of(test::three_clouds(400));
    for (std::size_t i = 0; i < 400; ++i)
        data.pool.cost.push_back(i % 2 == 0 ? 1.0 : 20.0);
    StudyRules rules = test::quick_rules(Task::classification);
    rules.rounds = 100;
    rules.budget = 300.0;
    Strategy strategy = two_stage();
    const auto plain = simulate_run(data, strategy, rules, 1, {});
    strategy.price = Strategy::Price::divides_score;
    const auto thrifty = simulate_run(data, strategy, rules, 1, {});
    EXPECT_GT(thrifty.back().labels, 2 * plain.back().labels);
    data.pool.cost.assign(400, 2.0);  // equal costs change nothing
    strategy.price = Strategy::Price::ignored;
    const auto expected = bits(simulate_run(data, strategy, rules, 1, {}));
    strategy.price = Strategy::Price::divides_score;
    EXPECT_EQ(bits(simulate_run(data, strategy, rules, 1, {})), expected);
}

TEST(SimulatedRun, a_lazy_oracle_costs_questions_but_no_labels) {
    const StudyData data = test::study_of(test::three_clouds(300));
    StudyRules rules = test::quick_rules(Task::classification);
    rules.oracle.refusal = 0.3;
    rules.rounds = 20;
    std::int64_t labels = 0;
    std::int64_t asked = 0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        const auto points = simulate_run(data, two_stage(), rules, seed, {});
        ASSERT_EQ(points.size(), 21U);
        EXPECT_EQ(points.back().labels, 112);
        labels += points.back().labels;
        asked += points.back().asked;
    }
    const double expected = static_cast<double>(labels) / 0.7;
    EXPECT_NEAR(static_cast<double>(asked), expected, 0.1 * expected);
}

TEST(SimulatedRun, ends_when_every_row_is_labeled_or_given_up) {
    const StudyData data = test::study_of(test::three_clouds(40));
    StudyRules rules = test::quick_rules(Task::classification);
    rules.rounds = 100;
    for (const Strategy& strategy : {two_stage(), random_strategy()}) {
        const auto points = simulate_run(data, strategy, rules, 1, {});
        EXPECT_EQ(points.size(), 5U);  // 12 + 5 + 5 + 5 + 1 of 28
        EXPECT_EQ(points.back().labels, 28);
        const RunPoint all = simulate_all_labels(data, rules, 1);
        EXPECT_EQ(all.labels, 28);
    }
    rules.oracle.refusal = 0.5;
    const auto points = simulate_run(data, two_stage(), rules, 1, {});
    EXPECT_LT(points.back().labels, 28);
    EXPECT_GT(points.back().labels, 20);
    EXPECT_EQ(simulate_all_labels(data, rules, 1).labels, 28);
}

TEST(SimulatedRun, numbers_are_learned_too) {
    const StudyData data = test::study_of(test::one_wave(200));
    StudyRules rules = test::quick_rules(Task::regression);
    rules.training.max_epochs = 300;
    const Strategy strategy{"qbc", "committee_std", "k_center", 4.0, Strategy::Count::rows};
    const auto points = simulate_run(data, strategy, rules, 2, {});
    EXPECT_LT(points.back().values[0], 0.3);                      // rmse
    EXPECT_LE(points.back().values[1], points.back().values[0]);  // mae <= rmse
    EXPECT_GE(points.back().values[2], points.back().values[0]);  // max >= rmse
}

TEST(SimulatedRun, noise_makes_what_is_learned_worse) {
    const StudyData data = test::study_of(test::three_clouds(400));
    StudyRules rules = test::quick_rules(Task::classification);
    rules.rounds = 10;
    double clean = 0.0;
    double noisy = 0.0;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        rules.oracle.noise = 0.0;
        clean += simulate_run(data, random_strategy(), rules, seed, {}).back().values[0];
        rules.oracle.noise = 0.5;
        noisy += simulate_run(data, random_strategy(), rules, seed, {}).back().values[0];
    }
    EXPECT_GT(clean, noisy + 0.2);
}

TEST(SimulatedRun, stops_when_the_hook_throws) {
    const StudyData data = test::study_of(test::three_clouds(100));
    int calls = 0;
    EXPECT_THROW(simulate_run(data, two_stage(), test::quick_rules(Task::classification), 1,
                              [&] {
                                  if (++calls == 2) throw Error(ExitCode::try_again, "stop");
                              }),
                 Error);
    EXPECT_EQ(calls, 2);
}

TEST(SimulatedRun, pseudo_labels_are_counted_and_cost_nothing) {
    const model::TrainingSet truth = test::three_clouds(120);
    StudyRules rules = test::quick_rules(Task::classification);
    rules.pseudo.delta = 0.6;
    rules.pseudo.decay = 0.2;
    Strategy strategy = two_stage();
    const auto without = simulate_run(test::study_of(truth), strategy, rules, 1, {});
    strategy.training = Strategy::Training::pseudo;
    const auto points = simulate_run(test::study_of(truth), strategy, rules, 1, {});
    ASSERT_EQ(points.size(), without.size());
    EXPECT_EQ(points[0].pseudo, 0);  // no model has judged yet
    for (std::size_t round = 1; round < points.size(); ++round) {
        EXPECT_EQ(points[round].labels, without[round].labels);
        EXPECT_EQ(points[round].asked, without[round].asked);
        EXPECT_EQ(points[round].cost, without[round].cost);
        EXPECT_EQ(without[round].pseudo, 0);
        EXPECT_LE(points[round].pseudo, points[round].labels);
        EXPECT_LE(points[round].wrong, points[round].pseudo);
    }
    EXPECT_GT(points[1].pseudo, 0);
    EXPECT_EQ(points[3].pseudo, 0);  // the bound has come to 0
    EXPECT_NE(bits(points), bits(without));
    rules.pseudo.delta = 0.0;
    EXPECT_EQ(bits(simulate_run(test::study_of(truth), strategy, rules, 1, {})), bits(without));
}

TEST(SimulatedRun, hidden_labels_count_what_a_learner_got_wrong) {
    const model::TrainingSet truth = test::three_clouds(10);
    const HiddenLabels labels(truth);
    const std::vector<std::int64_t> items = {1, 4, 7};
    std::vector<std::int32_t> classes = {truth.classes[1], truth.classes[4], truth.classes[7]};
    EXPECT_EQ(labels.count_wrong(items, classes), 0);
    classes[2] = (classes[2] + 1) % 3;
    EXPECT_EQ(labels.count_wrong(items, classes), 1);
}

}  // namespace
}  // namespace sluice::study
