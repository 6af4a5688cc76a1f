#include "model/training_parts.hpp"

#include "tests/model/training_fixture.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace sluice::model {
namespace {

std::set<RowId> rows_of(const TrainingSet& set, const std::vector<std::int64_t>& entries) {
    std::set<RowId> rows;
    for (const std::int64_t entry : entries)
        rows.insert(set.rows[static_cast<std::size_t>(entry)]);
    return rows;
}

TEST(TrainingParts, hold_out_the_share_asked_for_alike_for_all_members) {
    const TrainingSet set = test::made_classes(100, 2, 2);
    TrainOptions options;
    options.held_out = 0.2;
    const TrainingParts first = training_parts(set, options, 0);
    EXPECT_EQ(first.held_out.size(), 20U);
    EXPECT_EQ(first.training.size(), 80U);
    EXPECT_EQ(training_parts(set, options, 3).held_out, first.held_out);
    options.round = 5;
    EXPECT_EQ(training_parts(set, options, 0).held_out, first.held_out);
    options.seed = 1;
    EXPECT_NE(training_parts(set, options, 0).held_out, first.held_out);
}

TEST(TrainingParts, nothing_is_held_out_of_few_labels) {
    EXPECT_EQ(num_held_out(49, 0.1), 0);
    EXPECT_EQ(num_held_out(50, 0.1), 5);
    EXPECT_EQ(num_held_out(1000, 0.0), 0);
}

TEST(TrainingParts, rows_mostly_keep_their_part_when_labels_are_added) {
    const TrainingSet small = test::made_classes(200, 2, 2);
    const TrainingSet large = test::made_classes(220, 2, 2);
    const std::set<RowId> before = rows_of(small, training_parts(small, {}, 0).held_out);
    const std::set<RowId> after = rows_of(large, training_parts(large, {}, 0).held_out);
    std::vector<RowId> both;
    std::ranges::set_intersection(before, after, std::back_inserter(both));
    EXPECT_EQ(before.size(), 20U);
    EXPECT_GE(both.size(), 15U);
}

TEST(TrainingParts, folds_leave_out_every_label_once) {
    const TrainingSet set = test::made_classes(23, 2, 2);
    TrainOptions options;
    options.resample = Resample::k_fold;
    options.members = 4;
    std::vector<std::int64_t> held_out;
    for (std::int64_t member = 0; member < 4; ++member) {
        const TrainingParts parts = training_parts(set, options, member);
        EXPECT_EQ(parts.training.size() + parts.held_out.size(), 23U);
        EXPECT_GE(parts.held_out.size(), 5U);
        held_out.insert(held_out.end(), parts.held_out.begin(), parts.held_out.end());
    }
    std::ranges::sort(held_out);
    EXPECT_EQ(std::ranges::unique(held_out).begin(), held_out.end());
    EXPECT_EQ(held_out.size(), 23U);
}

TEST(TrainingParts, bootstrap_draws_as_many_labels_with_repeats) {
    const TrainingSet set = test::made_classes(1000, 2, 2);
    TrainOptions options;
    options.resample = Resample::bootstrap;
    options.held_out = 0.0;
    const TrainingParts parts = training_parts(set, options, 0);
    EXPECT_EQ(parts.training.size(), 1000U);
    const auto distinct = static_cast<double>(rows_of(set, parts.training).size());
    EXPECT_NEAR(distinct, 632.1, 40.0);  // 1 - 1/e of them
    EXPECT_NE(training_parts(set, options, 1).training, parts.training);
    EXPECT_EQ(training_parts(set, options, 0).training, parts.training);
}

TEST(TrainingOrder, is_a_permutation_that_changes_with_epoch_and_seed) {
    const TrainingSet set = test::made_classes(50, 2, 2);
    std::vector<std::int64_t> entries = {4, 4, 4, 7, 9, 20, 33, 41};
    const std::vector<std::int64_t> sorted = entries;
    shuffle_for_epoch(set, 1, 0, entries);
    const std::vector<std::int64_t> first = entries;
    EXPECT_TRUE(std::ranges::is_permutation(first, sorted));
    shuffle_for_epoch(set, 1, 1, entries);
    EXPECT_NE(entries, first);
    shuffle_for_epoch(set, 1, 0, entries);
    EXPECT_EQ(entries, first);
    shuffle_for_epoch(set, 2, 0, entries);
    EXPECT_NE(entries, first);
}

TEST(TrainingOrder, parts_the_copies_of_a_label) {
    const TrainingSet set = test::made_classes(50, 2, 2);
    int parted = 0;
    for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
        std::vector<std::int64_t> entries = {4, 4, 7, 9, 20, 33};
        shuffle_for_epoch(set, 1, epoch, entries);
        const auto first = std::ranges::find(entries, 4);
        if (*(first + 1) != 4) ++parted;
    }
    EXPECT_GE(parted, 8);  // two of six are neighbours one time in three
}

}  // namespace
}  // namespace sluice::model
