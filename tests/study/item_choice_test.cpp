#include "study/item_choice.hpp"

#include <gtest/gtest.h>

namespace sluice::study {
namespace {

using Locals = std::vector<std::int64_t>;

// Items 7 (rows 0, 3, 4), 2 (rows 1, 5) and 9 (rows 2, 6), in no order.
const std::vector<std::int64_t> numbers = {7, 2, 9, 7, 7, 2, 9};
const std::vector<float> scores = {0.5F, 0.9F, 0.1F, 0.7F, 0.7F, 0.2F, 0.4F};

std::vector<Candidate> candidates(const std::string& rule, const std::vector<std::uint8_t>& open,
                                  const std::vector<RowId>& labeled,
                                  ItemScore how = ItemScore::by_rule) {
    return item_candidates({numbers, scores, open, labeled}, select::parse_item_rule(rule), how);
}

void expect_same(const std::vector<Candidate>& found, const std::vector<Candidate>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        EXPECT_EQ(found[i].row, expected[i].row) << i;
        EXPECT_FLOAT_EQ(found[i].score, expected[i].score) << i;
    }
}

TEST(ItemCandidates, have_the_score_of_the_rule_and_the_best_row) {
    const std::vector<std::uint8_t> all(7, 1);
    expect_same(candidates("max", all, {}), {{0.9F, 1}, {0.7F, 3}, {0.4F, 6}});
    expect_same(candidates("mean", all, {}), {{0.55F, 1}, {1.9F / 3.0F, 3}, {0.25F, 6}});
    expect_same(candidates("sum", all, {}), {{1.1F, 1}, {1.9F, 3}, {0.5F, 6}});
    expect_same(candidates("top_mean:2", all, {}), {{0.55F, 1}, {0.7F, 3}, {0.25F, 6}});
    expect_same(candidates("sum", all, {}, ItemScore::of_first), {{0.9F, 1}, {0.5F, 3}, {0.1F, 6}});
}

TEST(ItemCandidates, are_not_those_with_a_labeled_row_and_count_open_rows_alone) {
    const std::vector<std::uint8_t> open = {1, 1, 1, 0, 1, 0, 0};
    expect_same(candidates("sum", open, {5}), {{0.1F, 2}, {1.2F, 4}});
    expect_same(candidates("sum", std::vector<std::uint8_t>(7, 0), {}), {});
}

TEST(RowsOfItems, are_whole_items_that_fit) {
    const std::vector<std::uint8_t> all(7, 1);
    const ItemRows rows{numbers, scores, all, {}};
    EXPECT_EQ(rows_of_items(rows, Locals{3, 1, 6}, 9), (Locals{0, 3, 4, 1, 5, 2, 6}));
    EXPECT_EQ(rows_of_items(rows, Locals{1, 3, 6}, 4), (Locals{1, 5, 2, 6}));
    EXPECT_EQ(rows_of_items(rows, Locals{3}, 2), Locals{});
    const std::vector<std::uint8_t> some = {1, 1, 1, 0, 1, 1, 1};
    EXPECT_EQ(rows_of_items({numbers, scores, some, {}}, Locals{4}, 2), (Locals{0, 4}));
}

}  // namespace
}  // namespace sluice::study
