#include "queue/waits.hpp"

#include "queue/status.hpp"
#include "tests/queue/queue_state_fixture.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::names_in;
using test::publish_part;
using test::QueueStateTest;
using test::QueueTest;
using test::result_of;

constexpr auto day = std::chrono::hours(24);

// The time of a file, as so long after the batch's publication.
void set_wait(const std::string& file, const std::string& manifest, std::chrono::seconds wait) {
    fs::last_write_time(file, fs::last_write_time(manifest) + wait);
}

TEST_F(QueueTest, nobody_waits_in_a_queue_without_batches) {
    { const Queue queue(root_); }
    const QueueWaits waits = queue_waits(root_);
    EXPECT_EQ(waits.done, 0);
    EXPECT_EQ(waits.open, 0);
}

TEST_F(QueueStateTest, items_wait_from_their_batch_to_their_result) {
    const std::string manifest = batch_path("manifest.json");
    EXPECT_EQ(queue_waits(root_).open, 6);
    const Token token = worker().claim().value();
    const std::vector<TicketItem> items = worker().open_items(token);
    publish_part(root_, token, {result_of(items[0])});
    publish_part(root_, token, {result_of(items[1], ItemStatus::timeout, "60 s")}, "p2");
    for (const std::string& name : names_in(path("results"))) {
        const bool is_second = name.find(".p2.") != std::string::npos;
        set_wait(path("results/" + name), manifest, is_second ? 3 * day : day);
    }
    worker().finish(token);
    settle(token);  // moved, with its time
    const QueueWaits waits = queue_waits(root_);
    EXPECT_EQ(waits.done, 2);
    EXPECT_NEAR(waits.median_seconds, 86'400.0, 1e-3);  // the lower one
    EXPECT_NEAR(waits.longest_seconds, 259'200.0, 1e-3);
    EXPECT_EQ(waits.open, 4);
    const auto issue = fs::last_write_time(manifest).time_since_epoch();
    const auto to_unix = fs::file_time_type::clock::to_sys(fs::file_time_type(issue));
    EXPECT_NEAR(waits.oldest_issue,
                std::chrono::duration<double>(to_unix.time_since_epoch()).count(), 1e-5);
}

TEST_F(QueueStateTest, what_is_given_back_has_not_come_back) {
    const Token token = worker().claim().value();
    const std::vector<TicketItem> items = worker().open_items(token);
    publish_part(root_, token, {result_of(items[0], ItemStatus::refused, "not today")});
    EXPECT_EQ(queue_waits(root_).done, 0);
}

TEST_F(QueueStateTest, looking_by_the_newest_file_writes_nothing) {
    const Token token = worker().claim().value();
    const auto before = fs::last_write_time(path("tmp"));
    const QueueStatus status = queue_status(root_, LeaseClock::newest_file);
    EXPECT_EQ(fs::last_write_time(path("tmp")), before);
    EXPECT_EQ(status.leases, 1);
    EXPECT_GE(status.oldest_lease_seconds, 0.0);
}

}  // namespace
}  // namespace sluice::queue
