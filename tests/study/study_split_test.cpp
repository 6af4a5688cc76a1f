#include "study/study_split.hpp"

#include "tests/study/study_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace sluice::study {
namespace {

using Items = std::vector<std::int64_t>;

StudySplit split_of(const StudyData& data, const SplitRules& rules, std::uint64_t seed) {
    return split_items(data.pool, rules, seed, data.labels);
}

TEST(StudySplit, parts_cover_all_items_and_share_none) {
    const StudyData data = test::study_of(test::three_clouds(200));
    const StudySplit split = split_of(data, {0.3, 0, 20, StartBy::chance}, 5);
    Items all = split.test;
    all.insert(all.end(), split.pool.begin(), split.pool.end());
    EXPECT_TRUE(std::is_sorted(split.test.begin(), split.test.end()));
    EXPECT_TRUE(std::is_sorted(split.pool.begin(), split.pool.end()));
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_EQ(all[i], static_cast<std::int64_t>(i));
    EXPECT_EQ(split.test.size(), 60U);
    Items order = split.start_order;
    EXPECT_NE(order, split.pool);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, split.pool);
}

// So that a file with more rows, or the same in another order, cuts the rows it shares alike.
TEST(StudySplit, what_comes_first_depends_on_seed_and_row_alone) {
    const model::TrainingSet all = test::three_clouds(100);
    model::TrainingSet half = all;
    half.features.resize(100);
    half.rows.resize(50);
    half.classes.resize(50);
    const SplitRules rules{0.2, 0, 5, StartBy::chance};
    const Items long_order = split_of(test::study_of(all), rules, 9).start_order;
    const Items short_order = split_of(test::study_of(half), rules, 9).start_order;
    Items common;
    for (const std::int64_t item : long_order) {
        if (std::find(short_order.begin(), short_order.end(), item) != short_order.end())
            common.push_back(item);
    }
    Items expected;
    for (const std::int64_t item : short_order) {
        if (std::find(common.begin(), common.end(), item) != common.end()) expected.push_back(item);
    }
    EXPECT_GT(common.size(), 20U);
    EXPECT_EQ(common, expected);
    EXPECT_NE(split_of(test::study_of(all), rules, 10).start_order, long_order);
}

TEST(StudySplit, copies_stay_on_one_side) {
    model::TrainingSet set = test::three_clouds(120);
    for (std::size_t i = 40; i < 120; ++i) {  // rows 40 and 80 further on are copies
        for (std::size_t k = 0; k < 2; ++k)
            set.features[2 * i + k] = set.features[2 * (i % 40) + k];
    }
    const StudyData data = test::study_of(set);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const StudySplit split = split_of(data, {0.3, 0, 5, StartBy::chance}, seed);
        const std::set<std::int64_t> test(split.test.begin(), split.test.end());
        for (std::int64_t item = 0; item < 40; ++item) {
            EXPECT_EQ(test.count(item), test.count(item + 40));
            EXPECT_EQ(test.count(item), test.count(item + 80));
        }
        EXPECT_EQ(split.test.size(), 36U);
        // The start is of rows: not three copies of each in a row.
        std::set<std::int64_t> start;
        for (std::size_t i = 0; i < 12; ++i)
            start.insert(split.start_order[i] % 40);
        EXPECT_GT(start.size(), 6U);
    }
}

TEST(StudySplit, whole_groups_until_there_are_enough_test_rows) {
    StudyData data = test::study_of(test::three_clouds(90));
    for (std::size_t i = 0; i < 90; ++i)
        data.pool.group[i] = static_cast<std::int64_t>(i) / 9 * 9;
    EXPECT_EQ(split_of(data, {0.3, 10, 5, StartBy::chance}, 1).test.size(), 18U);
    EXPECT_EQ(split_of(data, {0.3, 9, 5, StartBy::chance}, 1).test.size(), 9U);
}

TEST(StudySplit, start_by_class_begins_with_every_class) {
    const model::TrainingSet set = test::three_clouds(100);
    const StudyData data = test::study_of(set);
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const StudySplit split = split_of(data, {0.3, 0, 3, StartBy::classes}, seed);
        std::set<std::int32_t> classes;
        for (std::size_t i = 0; i < 3; ++i)
            classes.insert(set.classes[static_cast<std::size_t>(split.start_order[i])]);
        EXPECT_EQ(classes.size(), 3U);
    }
}

TEST(StudySplit, refuses_what_cannot_be_cut) {
    const StudyData data = test::study_of(test::three_clouds(20));
    test::expect_error(ExitCode::usage, "20 labeled rows cannot be cut", [&] {
        split_of(data, {0.3, 0, 15, StartBy::chance}, 0);
    });
    test::expect_error(ExitCode::usage, "lower --start", [&] {
        split_of(data, {0.3, 20, 1, StartBy::chance}, 0);
    });
}

}  // namespace
}  // namespace sluice::study
