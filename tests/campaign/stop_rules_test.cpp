#include "campaign/stop_rules.hpp"

#include "campaign/agreement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

namespace sluice::campaign {
namespace {

using Fill = std::function<void(RoundRecord&, double)>;

// One round for each value, put into its record by `fill`.
std::vector<RoundRecord> history_of(const std::vector<double>& values, const Fill& fill) {
    std::vector<RoundRecord> history;
    for (const double value : values) {
        RoundRecord record;
        record.round = std::ssize(history) + 1;
        record.labels = 10 * record.round;
        record.cost = 2.5 * static_cast<double>(record.round);
        record.candidates_left = 1000 - record.labels;
        fill(record, value);
        history.push_back(record);
    }
    return history;
}

Fill metric(const std::string& name) {
    return [name](RoundRecord& record, double value) { record.metrics[name] = value; };
}

TEST(StopRules, go_on_without_a_rule) {
    const auto history = history_of({1, 2, 3}, metric("rmse"));

    EXPECT_FALSE(first_stop({}, history));
    EXPECT_FALSE(decide({}, {}));
}

TEST(StopRules, count_rounds_labels_and_cost) {
    const auto history = history_of({1, 2, 3, 4, 5}, metric("rmse"));
    StopRules rounds;
    rounds.rounds = 4;
    StopRules labels;
    labels.labels = 30;
    StopRules cost;
    cost.cost = 4.0;

    EXPECT_EQ(first_stop(rounds, history), 4);
    EXPECT_EQ(first_stop(labels, history), 3);
    EXPECT_EQ(first_stop(cost, history), 2);
}

TEST(StopRules, count_recorded_time) {
    const auto history = history_of({600, 1800, 3600, 7200}, [](RoundRecord& record, double value) {
        record.seconds = value;
        record.oracle_seconds = 2 * value;
    });
    StopRules hours;
    hours.hours = 1.0;
    StopRules oracle_hours;
    oracle_hours.oracle_hours = 1.0;

    EXPECT_EQ(first_stop(hours, history), 3);
    EXPECT_EQ(first_stop(oracle_hours, history), 2);
}

TEST(StopRules, stop_at_a_target_in_the_metrics_direction) {
    StopRules error;
    error.target = TargetRule{"rmse", 0.5};
    StopRules accuracy;
    accuracy.target = TargetRule{"accuracy", 0.9};

    EXPECT_EQ(first_stop(error, history_of({0.9, 0.51, 0.5, 0.1}, metric("rmse"))), 3);
    EXPECT_EQ(first_stop(accuracy, history_of({0.5, 0.89, 0.95}, metric("accuracy"))), 3);
    EXPECT_FALSE(first_stop(accuracy, history_of({1.0}, metric("macro_f1"))));
}

TEST(StopRules, a_metric_that_is_not_finite_never_counts) {
    StopRules rules;
    rules.target = TargetRule{"rmse", 0.5};
    const double nan = std::numeric_limits<double>::quiet_NaN();

    EXPECT_EQ(first_stop(rules, history_of({nan, 0.4}, metric("rmse"))), 2);
}

TEST(StopRules, stop_on_a_plateau_after_its_window) {
    StopRules rules;
    rules.plateau = PlateauRule{"accuracy", 3, 0.01};
    // The best of rounds 5 to 7 is 0.805, less than 0.8 x 1.01.
    const auto rising =
        history_of({0.5, 0.6, 0.7, 0.8, 0.79, 0.805, 0.80, 0.9}, metric("accuracy"));

    EXPECT_EQ(first_stop(rules, rising), 7);
    EXPECT_FALSE(first_stop(rules, history_of({0.5, 0.5, 0.5}, metric("accuracy"))));
    EXPECT_EQ(first_stop(rules, history_of({0.5, 0.5, 0.5, 0.5}, metric("accuracy"))), 4);
}

TEST(StopRules, know_that_errors_fall) {
    StopRules rules;
    rules.plateau = PlateauRule{"rmse", 2, 0.05};

    EXPECT_EQ(first_stop(rules, history_of({8, 4, 2, 1, 0.98, 0.97}, metric("rmse"))), 6);
}

// small-text, test_base.py: threshold 0.15 and window 3 stop with the 4th predictions.
TEST(StopRules, stop_on_delta_f_where_small_text_does) {
    const std::vector<std::vector<std::int32_t>> predictions = {
        {0, 1, 1, 0, 1, 1, 0}, {0, 1, 1, 1, 1, 1, 0}, {1, 1, 1, 1, 1, 1, 0}, {1, 1, 1, 0, 1, 1, 0}};
    const auto history = history_of({0, 1, 2, 3}, [&](RoundRecord& record, double value) {
        const auto i = static_cast<std::size_t>(value);
        if (i > 0) record.delta_f = delta_f(predictions[i - 1], predictions[i], 2);
    });
    StopRules rules;
    rules.delta_f = WindowRule{0.15, 3};

    EXPECT_EQ(first_stop(rules, history), 4);
    rules.delta_f->threshold = 0.1;
    EXPECT_FALSE(first_stop(rules, history));
    rules.delta_f->window = 2;
    EXPECT_EQ(first_stop(rules, history), 4);
}

TEST(StopRules, average_kappa_over_its_window) {
    const auto history =
        history_of({0, 0.90, 0.97, 0.99, 1.0, 0.98}, [](RoundRecord& record, double value) {
            if (record.round > 1) record.kappa = value;
        });
    StopRules rules;
    rules.kappa = WindowRule{0.98, 3};

    EXPECT_EQ(first_stop(rules, history), 5);  // (0.97 + 0.99 + 1.0) / 3 = 0.98667
    rules.kappa->threshold = 0.95;
    EXPECT_EQ(first_stop(rules, history), 4);  // (0.90 + 0.97 + 0.99) / 3 = 0.95333
}

TEST(StopRules, compare_change_and_uncertainty) {
    StopRules change;
    change.change = 0.25;
    StopRules uncertainty;
    uncertainty.uncertainty = 0.05;

    EXPECT_EQ(first_stop(change,
                         history_of({0.5, 0.25, 0.0}, [](RoundRecord& record,
                                                         double value) { record.change = value; })),
              2);
    EXPECT_EQ(first_stop(uncertainty, history_of({0.3, 0.05, 0.049},
                                                 [](RoundRecord& record, double value) {
                                                     record.uncertainty = value;
                                                 })),
              3);
}

TEST(StopRules, any_takes_the_first_and_all_the_last) {
    const auto history = history_of({0.9, 0.6, 0.4, 0.3, 0.2}, metric("rmse"));
    StopRules rules;
    rules.labels = 40;
    rules.target = TargetRule{"rmse", 0.5};

    EXPECT_EQ(first_stop(rules, history), 3);
    rules.combine = StopRules::Combine::all;
    EXPECT_EQ(first_stop(rules, history), 4);
    rules.rounds = 2;
    EXPECT_EQ(first_stop(rules, history), 2);
}

TEST(StopRules, end_when_the_pool_does) {
    auto history = history_of({1, 2}, metric("rmse"));
    history.back().candidates_left = 0;
    StopRules rules;
    rules.combine = StopRules::Combine::all;
    rules.labels = 1000;

    EXPECT_EQ(first_stop(rules, history), 2);
    EXPECT_EQ(*decide(rules, history), "pool: 0 rows left to ask for");
}

TEST(StopRules, say_why_and_what_is_missing) {
    const auto history = history_of({0.9, 0.4}, metric("rmse"));
    StopRules rules;
    rules.labels = 20;
    rules.target = TargetRule{"rmse", 0.5};
    rules.kappa = WindowRule{0.99, 3};

    EXPECT_EQ(*decide(rules, history), "labels: 20 of 20; target: rmse 0.4, at most 0.5");
    const std::vector<RuleOutcome> outcomes = judge_rules(rules, history);
    ASSERT_EQ(outcomes.size(), 4U);
    EXPECT_EQ(outcomes.back().text, "kappa: 0 of 3 values");
    EXPECT_FALSE(outcomes.back().holds);
}

// A campaign that goes on after an interruption decides again from what it has stored.
TEST(StopRules, replayed_from_any_beginning_stop_at_the_same_round) {
    const auto history = history_of({0.9, 0.6, 0.55, 0.54, 0.54, 0.54}, metric("rmse"));
    StopRules rules;
    rules.plateau = PlateauRule{"rmse", 2, 0.02};
    const auto stop = first_stop(rules, history);
    ASSERT_TRUE(stop);

    for (std::int64_t known = 1; known <= std::ssize(history); ++known) {
        const std::vector<RoundRecord> stored(history.begin(), history.begin() + known);
        const bool is_over = known >= *stop;
        EXPECT_EQ(first_stop(rules, stored).has_value(), is_over) << known;
    }
}

}  // namespace
}  // namespace sluice::campaign
