#include "queue/status.hpp"

#include "tests/queue/queue_state_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::first_id;
using test::publish_part;
using test::publish_sample;
using test::QueueStateTest;
using test::QueueTest;
using test::result_of;
using test::second_id;
using test::sum_of;
using Counts = std::map<ItemState, std::int64_t>;

// Makes a file look as if it had been written this long ago.
void age(const std::string& file, std::chrono::seconds seconds) {
    fs::last_write_time(file, fs::last_write_time(file) - seconds);
}

TEST_F(QueueTest, a_queue_without_batches_has_nothing_to_do) {
    { const Queue queue(root_); }
    const QueueStatus status = queue_status(root_);
    EXPECT_EQ(status.items, 0);
    EXPECT_TRUE(status.counts.empty());
    EXPECT_EQ(status.seconds_left, 0.0);
    EXPECT_THAT(status_text(status), ::testing::StartsWith("0 batches, 0 items\n"));
}

TEST_F(QueueStateTest, every_item_is_counted_in_the_state_it_is_in) {
    EXPECT_EQ(queue_status(root_).counts, (Counts{{ItemState::queued, 6}}));
    const Token token = worker().claim().value();
    EXPECT_EQ(queue_status(root_).counts, (Counts{{ItemState::queued, 4}, {ItemState::leased, 2}}));
    const std::vector<TicketItem> items = worker().open_items(token);
    publish_part(root_, token, {result_of(items[0])});
    EXPECT_EQ(queue_status(root_).counts,
              (Counts{{ItemState::queued, 4}, {ItemState::leased, 1}, {ItemState::ok, 1}}));
    publish_part(root_, token, {result_of(items[1], ItemStatus::timeout, "60 s")}, "p2");
    worker().finish(token);
    settle(token);
    const QueueStatus status = queue_status(root_);
    EXPECT_EQ(status.counts,
              (Counts{{ItemState::queued, 4}, {ItemState::ingested, 1}, {ItemState::timeout, 1}}));
    EXPECT_EQ(status.reasons.at({ItemState::timeout, "60 s"}), 1);
    EXPECT_EQ(status.oracle_seconds, 4.0);
    EXPECT_EQ(status.batches, 1);
    EXPECT_EQ(status.items, 6);
}

TEST_F(QueueStateTest, counts_whole_tickets_by_their_seals) {
    const Token token = label_one();
    EXPECT_EQ(queue_status(root_).counts.at(ItemState::ok), 2);
    // The lines are not read: only the seal at the end counts.
    flip_byte(result_path("results", token), 3);
    EXPECT_EQ(queue_status(root_).counts.at(ItemState::ok), 2);
    settle(token);
    EXPECT_EQ(queue_status(root_).counts.at(ItemState::ingested), 2);
    EXPECT_TRUE(queue_status(root_).damaged.empty());
}

TEST_F(QueueStateTest, tells_failures_by_reason_and_repeats) {
    label_one(ItemStatus::nonconverged, "no convergence");
    const Token token = label_one();
    BatchReader batches(root_);
    Token later = token;
    later.holder->nonce = std::string(20, 'a');
    publish_part(root_, later, {result_of(batches.ticket(token.ticket)[0])});
    const QueueStatus status = queue_status(root_);
    EXPECT_EQ(status.counts,
              (Counts{{ItemState::queued, 2}, {ItemState::ok, 2}, {ItemState::nonconverged, 2}}));
    EXPECT_EQ(status.reasons.at({ItemState::nonconverged, "no convergence"}), 2);
    EXPECT_EQ(status.repeats, 1);
    const std::string text = status_text(status);
    EXPECT_THAT(text, ::testing::HasSubstr("  nonconverged           2   2 no convergence\n"));
    EXPECT_THAT(text, ::testing::HasSubstr("1 label handed in more than once\n"));
    EXPECT_THAT(text, ::testing::HasSubstr("waiting for 'sluice ingest'"));
}

TEST_F(QueueStateTest, names_the_lease_that_was_silent_for_longest) {
    const Token first = worker().claim().value();
    const Token second = worker().claim().value();
    age(path("leased/" + token_name(second)), std::chrono::seconds(100));
    const QueueStatus status = queue_status(root_);
    EXPECT_EQ(status.leases, 2);
    EXPECT_EQ(status.leases_by_holder.at(first.holder->name), 2);
    EXPECT_EQ(status.oldest_lease, first_id + "-" + number_name(second.ticket.number) + " by " +
                                       second.holder->name + "-" +
                                       std::to_string(second.holder->process));
    EXPECT_NEAR(status.oldest_lease_seconds, 100.0, 5.0);
    EXPECT_TRUE(test::names_in(path("tmp")).empty());
    EXPECT_THAT(status_text(status), ::testing::HasSubstr("4   in 2 leases; oldest " + first_id));
}

TEST_F(QueueStateTest, the_rate_is_that_of_the_last_ten_minutes_of_work) {
    EXPECT_EQ(queue_status(root_).items_per_second, 0.0);
    EXPECT_FALSE(queue_status(root_).seconds_left.has_value());
    const Token first = label_one();
    const Token second = label_one();
    age(result_path("results", first), std::chrono::seconds(8));
    QueueStatus status = queue_status(root_);
    EXPECT_NEAR(status.items_per_second, 2.0 / 8.0, 0.05);
    EXPECT_NEAR(status.seconds_left.value(), 8.0, 2.0);
    settle(second);
    age(result_path("results", first), std::chrono::seconds(1000));
    status = queue_status(root_);
    EXPECT_EQ(status.items_per_second, 0.0) << "one delivery alone has no rate";
    label_one();
    status = queue_status(root_);
    EXPECT_EQ(status.seconds_left, 0.0);
    EXPECT_THAT(status_text(status), ::testing::HasSubstr("nothing left to label"));
}

TEST_F(QueueStateTest, what_is_damaged_is_told_and_what_is_missing_too) {
    const Token token = label_one();
    const std::string file = result_path("results", token);
    fs::resize_file(file, fs::file_size(file) - 1);
    QueueStatus status = queue_status(root_);
    EXPECT_EQ(status.damaged, std::vector<std::string>{file});
    EXPECT_EQ(status.counts, (Counts{{ItemState::queued, 4}, {ItemState::missing, 2}}));
    EXPECT_THAT(status_text(status), ::testing::HasSubstr("sluice queue fsck"));
}

TEST_F(QueueStateTest, the_report_is_json_with_every_state) {
    worker().claim();
    label_one(ItemStatus::oracle_error, "exit code \x01 1");
    const auto json = nlohmann::json::parse(status_json(queue_status(root_)));
    EXPECT_EQ(json["items"], 6);
    EXPECT_EQ(json["counts"].size(), 12U);
    EXPECT_EQ(json["counts"]["leased"], 2);
    EXPECT_EQ(json["counts"]["rejected"], 0);
    EXPECT_EQ(json["reasons"][0]["state"], "oracle_error");
    EXPECT_EQ(json["reasons"][0]["items"], 2);
    EXPECT_TRUE(json["seconds_left"].is_null());
}

TEST_F(QueueStateTest, batches_add_up) {
    Queue queue(root_);
    publish_sample(queue, second_id, 5);
    label_one();
    const QueueStatus status = queue_status(root_);
    EXPECT_EQ(status.batches, 2);
    EXPECT_EQ(status.items, 11);
    EXPECT_EQ(sum_of(status.counts), 11);
}

TEST_F(QueueStateTest, the_numbers_add_up_while_a_worker_is_busy) {
    std::atomic<bool> stop{false};
    std::thread busy([&] {
        Claimer claimer(root_, {});
        while (!stop) {
            const auto token = claimer.claim();
            if (token) claimer.give_back(*token);
        }
    });
    for (int look = 0; look < 200; ++look) {
        const QueueStatus status = queue_status(root_);
        EXPECT_EQ(sum_of(status.counts), 6);
        EXPECT_FALSE(status.counts.contains(ItemState::missing)) << look;
    }
    stop = true;
    busy.join();
}

}  // namespace
}  // namespace sluice::queue
