#include "study/hidden_labels.hpp"

#include "tests/study/study_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace sluice::study {
namespace {

using test::expect_error;
using Items = std::vector<std::int64_t>;

constexpr std::int64_t many = 20'000;

// Five standard deviations of a count with this mean and probability.
double five_deviations(double trials, double probability) {
    return 5.0 * std::sqrt(trials * probability * (1.0 - probability));
}

TEST(HiddenLabels, a_perfect_oracle_says_the_truth_of_each_item) {
    const model::TrainingSet set = test::three_clouds(50);
    HiddenLabels oracle = HiddenLabels(set).untouched({}, 7);
    for (std::int64_t i = 0; i < set.size(); ++i) {
        const Answer answer = oracle.ask(i);
        EXPECT_EQ(answer.status, Answer::Status::labeled);
        EXPECT_EQ(answer.class_index, set.classes[static_cast<std::size_t>(i)]);
    }
    EXPECT_EQ(oracle.num_asked(), set.size());
}

TEST(HiddenLabels, what_tests_is_never_asked_and_the_other_way_round) {
    const model::TrainingSet set = test::three_clouds(10);
    HiddenLabels oracle = HiddenLabels(set).untouched({}, 7);
    const TestLabels opened = oracle.open_test_part(Items{2, 5});
    EXPECT_EQ(opened.classes, (std::vector<std::int32_t>{set.classes[2], set.classes[5]}));
    expect_error(ExitCode::internal, "row 9 must not", [&] { oracle.ask(2); });
    oracle.ask(0);
    expect_error(ExitCode::internal, "row 3 must not", [&] { oracle.ask(0); });
    expect_error(ExitCode::internal, "row 3 was asked", [&] { oracle.open_test_part(Items{0}); });
}

TEST(HiddenLabels, a_run_starts_untouched_whatever_others_did) {
    const HiddenLabels labels(test::three_clouds(10));
    HiddenLabels first = labels.untouched({}, 1);
    first.ask(3);
    HiddenLabels second = labels.untouched({}, 1);
    EXPECT_EQ(second.num_asked(), 0);
    EXPECT_EQ(second.ask(3).status, Answer::Status::labeled);
}

TEST(HiddenLabels, noise_flips_the_asked_share_to_all_other_classes_alike) {
    const model::TrainingSet set = test::three_clouds(many);
    HiddenLabels oracle = HiddenLabels(set).untouched({0.2, 0.0}, 3);
    std::int64_t moved[3] = {};
    for (std::int64_t i = 0; i < many; ++i) {
        const std::int32_t truth = set.classes[static_cast<std::size_t>(i)];
        const std::int32_t said = oracle.ask(i).class_index;
        ASSERT_TRUE(said >= 0 && said < 3);
        ++moved[(said - truth + 3) % 3];
    }
    EXPECT_NEAR(static_cast<double>(moved[1] + moved[2]), 0.2 * many, five_deviations(many, 0.2));
    EXPECT_NEAR(static_cast<double>(moved[1]), 0.1 * many, five_deviations(many, 0.1));
}

TEST(HiddenLabels, noise_of_numbers_is_normal) {
    const model::TrainingSet set = test::one_wave(many);
    HiddenLabels oracle = HiddenLabels(set).untouched({0.5, 0.0}, 3);
    double sum = 0.0;
    double squares = 0.0;
    double inside = 0.0;
    for (std::int64_t i = 0; i < many; ++i) {
        const double truth = set.targets[static_cast<std::size_t>(i)];
        const double error = static_cast<double>(oracle.ask(i).targets[0]) - truth;
        sum += error;
        squares += error * error;
        if (std::abs(error) < 0.5) inside += 1.0;
    }
    EXPECT_NEAR(sum / many, 0.0, 5.0 * 0.5 / std::sqrt(many));
    EXPECT_NEAR(squares / many, 0.25, 5.0 * 0.25 * std::sqrt(2.0 / many));
    // P(|z| < 1) = 0.6827.
    EXPECT_NEAR(inside, 0.6827 * many, five_deviations(many, 0.6827));
}

TEST(HiddenLabels, refusals_have_the_asked_share_and_end_after_three) {
    const model::TrainingSet set = test::three_clouds(many);
    HiddenLabels oracle = HiddenLabels(set).untouched({0.0, 0.3}, 3);
    std::int64_t refused = 0;
    std::int64_t again = 0;
    std::int64_t given_up = 0;
    for (std::int64_t i = 0; i < many; ++i) {
        if (oracle.ask(i).status == Answer::Status::labeled) continue;
        ++refused;
        if (oracle.ask(i).status == Answer::Status::labeled) continue;
        ++again;
        if (oracle.ask(i).status == Answer::Status::labeled) continue;
        ++given_up;
        EXPECT_EQ(oracle.refusals(i), max_refusals);
        expect_error(ExitCode::internal, "must not", [&] { oracle.ask(i); });
    }
    EXPECT_NEAR(static_cast<double>(refused), 0.3 * many, five_deviations(many, 0.3));
    EXPECT_NEAR(static_cast<double>(again), 0.09 * many, five_deviations(many, 0.09));
    EXPECT_GT(given_up, 0);
}

TEST(HiddenLabels, answers_depend_on_seed_row_and_count_alone) {
    const model::TrainingSet set = test::three_clouds(300);
    const HiddenLabels labels(set);
    HiddenLabels forward = labels.untouched({0.3, 0.2}, 11);
    HiddenLabels backward = labels.untouched({0.3, 0.2}, 11);
    HiddenLabels other = labels.untouched({0.3, 0.2}, 12);
    std::vector<std::int32_t> first(300);
    std::vector<std::int32_t> second(300);
    std::vector<std::int32_t> third(300);
    for (std::int64_t i = 0; i < 300; ++i) {
        first[static_cast<std::size_t>(i)] = forward.ask(i).class_index;
        second[static_cast<std::size_t>(299 - i)] = backward.ask(299 - i).class_index;
        third[static_cast<std::size_t>(i)] = other.ask(i).class_index;
    }
    EXPECT_EQ(first, second);
    EXPECT_NE(first, third);
}

TEST(HiddenLabels, class_by_class_takes_turns_in_the_given_order) {
    model::TrainingSet set = test::three_clouds(6);
    set.classes = {0, 0, 0, 1, 1, 2};
    const HiddenLabels labels(set);
    EXPECT_EQ(labels.class_by_class(Items{2, 1, 0, 4, 3, 5}, 4), (Items{2, 4, 5, 1}));
    EXPECT_EQ(labels.class_by_class(Items{2, 1, 0, 4, 3, 5}, 9), (Items{2, 4, 5, 1, 3, 0}));
    expect_error(ExitCode::usage, "--start-by chance", [&] {
        HiddenLabels(test::one_wave(4)).class_by_class(Items{0, 1}, 1);
    });
}

}  // namespace
}  // namespace sluice::study
