#include "queue/item_state.hpp"

#include "tests/queue/labeling_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::first_id;
using test::hand_in;
using test::names_in;
using test::sample_result;

// Ticket 2 with its one item, and ticket 1 with two.
class ItemStateTest : public test::LabelingTest {
  protected:
    std::vector<ItemRecord> judge(std::int64_t number) {
        const TicketId ticket{first_id, number};
        BatchReader batches(root_);
        damaged_.clear();
        return judge_ticket(root_, batches, ticket, take_snapshot(root_).tickets[ticket], damaged_);
    }

    ItemState state() { return judge(2).at(0).state; }

    void settle_all() {
        for (const std::string& name : names_in(path("results")))
            fs::rename(path("results/" + name), path("settled/" + name));
    }

    std::vector<std::string> damaged_;
};

TEST_F(ItemStateTest, every_state_has_a_name_and_tells_whether_the_item_is_open) {
    std::vector<std::string> open;
    std::vector<std::string> closed;
    for (int i = 0; i <= static_cast<int>(ItemState::missing); ++i) {
        const auto state = static_cast<ItemState>(i);
        (is_open(state) ? open : closed).emplace_back(state_name(state));
    }
    EXPECT_THAT(open, ::testing::ElementsAre("queued", "leased", "lost", "missing"));
    EXPECT_THAT(closed,
                ::testing::ElementsAre("ok", "nonconverged", "invalid", "timeout", "oracle_error",
                                       "cancelled", "ingested", "rejected"));
}

TEST_F(ItemStateTest, without_a_result_the_token_decides) {
    EXPECT_EQ(state(), ItemState::queued);
    Token token = claim_ticket(2);
    EXPECT_EQ(state(), ItemState::leased);
    const std::string lost = path("quarantine/" + first_id + "-000002.a5");
    fs::rename(leased_path(token), lost);
    EXPECT_EQ(state(), ItemState::lost);
    fs::remove(lost);
    EXPECT_EQ(state(), ItemState::missing);
}

TEST_F(ItemStateTest, a_result_decides_whatever_the_token_does) {
    const Token token = claim_ticket(2);
    hand_in(root_, token, {{2, ItemStatus::ok}});
    EXPECT_EQ(state(), ItemState::ok);
    fs::remove(leased_path(token));
    EXPECT_EQ(state(), ItemState::ok);
    settle_all();
    EXPECT_EQ(state(), ItemState::ingested);
}

TEST_F(ItemStateTest, failures_keep_their_reason_and_are_rejected_once_settled) {
    const std::vector<std::pair<ItemStatus, ItemState>> failures = {
        {ItemStatus::nonconverged, ItemState::nonconverged},
        {ItemStatus::invalid, ItemState::invalid},
        {ItemStatus::timeout, ItemState::timeout},
        {ItemStatus::oracle_error, ItemState::oracle_error}};
    const Token token = claim_ticket(2);
    for (const auto& [status, expected] : failures) {
        hand_in(root_, token, {{2, status}});
        EXPECT_EQ(state(), expected);
        EXPECT_EQ(judge(2)[0].reason, "because");
        for (const std::string& name : names_in(path("results")))
            fs::remove(path("results/" + name));
    }
    hand_in(root_, token, {{2, ItemStatus::timeout}});
    settle_all();
    EXPECT_EQ(state(), ItemState::rejected);
    EXPECT_EQ(judge(2)[0].reason, "timeout: because");
}

TEST_F(ItemStateTest, refusals_count_up_to_a_limit) {
    const Token token = claim_ticket(2);
    for (int i = 1; i <= max_refusals; ++i) {
        hand_in(root_, token, {{2, ItemStatus::refused}}, "p" + std::to_string(i));
        EXPECT_EQ(judge(2)[0].refusals, i);
        EXPECT_EQ(state(), i < max_refusals ? ItemState::leased : ItemState::cancelled);
        if (i == 1) settle_all();
    }
}

TEST_F(ItemStateTest, a_label_outweighs_failures_and_repeats_are_counted) {
    const Token token = claim_ticket(2);
    hand_in(root_, token, {{2, ItemStatus::timeout}}, "p1");
    settle_all();
    hand_in(root_, token, {{2, ItemStatus::ok}}, "p2");
    EXPECT_EQ(state(), ItemState::ok);
    settle_all();
    hand_in(root_, token, {{2, ItemStatus::ok}}, "p3");
    hand_in(root_, token, {{2, ItemStatus::invalid}}, "p4");
    EXPECT_EQ(state(), ItemState::ingested);
    EXPECT_EQ(judge(2)[0].ok_results, 2);
}

TEST_F(ItemStateTest, a_label_that_ingest_did_not_take_is_rejected) {
    const Token token = claim_ticket(1);
    hand_in(root_, token, {{0, ItemStatus::ok}, {1, ItemStatus::ok}});
    const std::string name = names_in(path("results"))[0];
    const std::string rejected = path("quarantine/" + rejected_lines_name(name));
    std::ofstream(rejected) << R"({"line":2,"reason":"out of range","result":{}})"
                            << "\n{\n";
    EXPECT_EQ(judge(1)[1].state, ItemState::ok);
    settle_all();
    EXPECT_EQ(judge(1)[0].state, ItemState::ingested);
    EXPECT_EQ(judge(1)[1].state, ItemState::rejected);
    EXPECT_EQ(judge(1)[1].reason, "invalid: out of range");
    EXPECT_TRUE(damaged_.empty());
    EXPECT_TRUE(take_snapshot(root_).foreign.empty());
    fs::remove(rejected);
    fs::create_symlink("/etc/passwd", rejected);
    EXPECT_EQ(judge(1)[1].state, ItemState::ingested);
    EXPECT_THAT(damaged_, ::testing::ElementsAre(rejected));
}

TEST_F(ItemStateTest, items_of_one_ticket_are_judged_one_by_one) {
    const Token token = claim_ticket(1);
    hand_in(root_, token, {{1, ItemStatus::ok}, {2, ItemStatus::ok}, {99, ItemStatus::ok}});
    const std::vector<ItemRecord> records = judge(1);
    ASSERT_EQ(records.size(), 2U);
    EXPECT_EQ(records[0].item, 0);
    EXPECT_EQ(records[0].state, ItemState::leased);
    EXPECT_EQ(records[1].item, 1);
    EXPECT_EQ(records[1].state, ItemState::ok);
}

TEST_F(ItemStateTest, damaged_files_count_as_absent_and_are_named) {
    const Token token = claim_ticket(2);
    hand_in(root_, token, {{2, ItemStatus::ok}});
    const std::string file = path("results/" + names_in(path("results"))[0]);
    std::ofstream(file, std::ios::app) << "x";
    EXPECT_EQ(state(), ItemState::leased);
    EXPECT_THAT(damaged_, ::testing::ElementsAre(file));
}

TEST_F(ItemStateTest, a_file_that_is_settled_after_the_listing_is_still_found) {
    const Token token = claim_ticket(2);
    hand_in(root_, token, {{2, ItemStatus::ok}});
    const TicketFiles files = results_of_ticket(root_, token.ticket);
    settle_all();
    BatchReader batches(root_);
    EXPECT_EQ(judge_ticket(root_, batches, token.ticket, files, damaged_)[0].state,
              ItemState::ingested);
    EXPECT_TRUE(damaged_.empty());
}

TEST(IsFinished, all_but_few_refusals_are_final) {
    for (const ItemStatus status : {ItemStatus::ok, ItemStatus::nonconverged, ItemStatus::invalid,
                                    ItemStatus::timeout, ItemStatus::oracle_error}) {
        const std::vector<ItemResult> results = {sample_result(4, status)};
        EXPECT_TRUE(is_finished(4, results));
        EXPECT_FALSE(is_finished(5, results));
    }
    std::vector<ItemResult> refusals(2, sample_result(4, ItemStatus::refused));
    refusals.push_back(sample_result(5, ItemStatus::refused));
    EXPECT_FALSE(is_finished(4, refusals));
    refusals.push_back(sample_result(4, ItemStatus::refused));
    EXPECT_TRUE(is_finished(4, refusals));
    EXPECT_FALSE(is_finished(4, {}));
}

}  // namespace
}  // namespace sluice::queue
