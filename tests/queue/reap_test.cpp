#include "queue/reap.hpp"

#include "core/process_place.hpp"
#include "tests/queue/labeling_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using test::first_id;
using test::hand_in;
using test::names_in;

constexpr std::int64_t day = 86'400;
const std::string elsewhere = "00000000";

class Reap : public test::LabelingTest {
  protected:
    // A lease of ticket 2 whose holder cannot be looked up.
    Token lease_elsewhere(std::int64_t seconds) {
        const Token token = claim_ticket(2, {.lease_seconds = seconds});
        return hold_as(token, {"far", 77, elsewhere + "0123456789ab"});
    }

    // A process number that nobody has any more.
    std::int64_t dead_process() {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(0);
        EXPECT_EQ(::waitpid(child, nullptr, 0), child);
        return child;
    }

    Token lease_of_dead(std::int64_t number) {
        const Token token = claim_ticket(number);
        return hold_as(token, {"here", dead_process(), process_place() + "0123456789ab"});
    }
};

TEST_F(Reap, a_number_that_is_in_use_again_does_not_keep_a_lease) {
    const std::string mark = process_mark();
    std::string another = mark;
    another.back() = another.back() == '1' ? '2' : '1';
    const Token token = hold_as(claim_ticket(2), {"here", ::getpid(), another + "01234567"});
    const Token own = hold_as(claim_ticket(1), {"here", ::getpid(), mark + "01234567"});
    EXPECT_EQ(Reaper(root_).look().requeued, 1);
    EXPECT_FALSE(fs::exists(leased_path(token)));
    EXPECT_TRUE(fs::exists(leased_path(own)));
}

TEST_F(Reap, a_lease_whose_process_is_gone_is_reaped_at_once) {
    const Token token = lease_of_dead(2);
    const ReapReport report = Reaper(root_).look();
    EXPECT_GE(report.leases, 1);
    EXPECT_EQ(report.requeued, 1);
    EXPECT_FALSE(fs::exists(leased_path(token)));
    EXPECT_TRUE(fs::exists(path("pending/" + first_id + "-000002.a2")));
    EXPECT_EQ(Reaper(root_).look().requeued, 0);
    EXPECT_TRUE(names_in(path("tmp")).empty());
}

TEST_F(Reap, a_lease_of_a_living_process_is_left_alone) {
    const Token token = claim_ticket(2);
    Reaper reaper(root_);
    for (int i = 0; i < 3; ++i) {
        const ReapReport report = reaper.look();
        EXPECT_EQ(report.requeued + report.suspects, 0);
    }
    EXPECT_TRUE(fs::exists(leased_path(token)));
    EXPECT_TRUE(names_in(path("tmp")).empty());
}

TEST_F(Reap, an_old_lease_is_first_watched_for_a_whole_lease) {
    const Token token = lease_elsewhere(2);
    set_age(token, day);
    const auto started = std::chrono::steady_clock::now();
    Reaper reaper(root_);
    const ReapReport first = reaper.look();
    EXPECT_EQ(first.suspects, 1);
    EXPECT_EQ(first.wait, std::chrono::seconds(2));
    EXPECT_EQ(Reaper(root_).look().requeued, 0);
    while (reaper.look().requeued == 0)
        std::this_thread::sleep_for(milliseconds(50));
    EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::seconds(2));
    EXPECT_TRUE(fs::exists(path("pending/" + first_id + "-000002.a2")));
}

TEST_F(Reap, the_lease_that_is_due_first_decides_the_wait) {
    set_age(lease_elsewhere(500), day);
    const Token token = claim_ticket(1, {.lease_seconds = 40});
    set_age(hold_as(token, {"far", 78, elsewhere + "0123456789ab"}), day);
    const ReapReport report = Reaper(root_).look();
    EXPECT_EQ(report.suspects, 2);
    EXPECT_EQ(report.wait, std::chrono::seconds(40));
}

TEST_F(Reap, signs_of_life_keep_a_lease_whatever_they_say_the_time_is) {
    const Token token = lease_elsewhere(1);
    Reaper reaper(root_);
    for (int i = 0; i < 8; ++i) {
        set_age(token, i % 2 == 0 ? day - i : -day - i);
        EXPECT_EQ(reaper.look().requeued, 0);
        std::this_thread::sleep_for(milliseconds(300));
    }
    EXPECT_TRUE(fs::exists(leased_path(token)));
}

TEST_F(Reap, a_lease_from_the_future_is_warned_of_once_and_watched) {
    const Token token = lease_elsewhere(1);
    set_age(token, -day);
    Reaper reaper(root_);
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(reaper.look().suspects, 1);
    EXPECT_EQ(reaper.look().requeued, 0);
    std::this_thread::sleep_for(milliseconds(1100));
    EXPECT_EQ(reaper.look().requeued, 1);
    const std::string told = ::testing::internal::GetCapturedStderr();
    EXPECT_THAT(told, ::testing::HasSubstr("in the future"));
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << told;
}

// In a child process: keeps a lease until it is lost, then leaves with 0.
void hold_until_lost(const std::string& queue_directory, int ready) {
    Claimer claimer(queue_directory, {.lease_seconds = 2});
    const std::optional<Token> token = claimer.claim();
    const bool told = ::write(ready, "x", 1) == 1;
    while (told && token && claimer.renew(*token))
        std::this_thread::sleep_for(milliseconds(100));
    ::_exit(told && token ? 0 : 1);
}

TEST_F(Reap, a_holder_stopped_beyond_its_lease_loses_it_and_notices) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) hold_until_lost(root_, ready[1]);
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    Reaper reaper(root_);
    const auto watch = [&](milliseconds time) {
        std::int64_t requeued = 0;
        const auto end = std::chrono::steady_clock::now() + time;
        while (requeued == 0 && std::chrono::steady_clock::now() < end) {
            requeued = reaper.look().requeued;
            std::this_thread::sleep_for(milliseconds(50));
        }
        return requeued;
    };
    EXPECT_EQ(watch(milliseconds(2500)), 0);
    ::kill(child, SIGSTOP);
    EXPECT_EQ(watch(milliseconds(10'000)), 1);
    ::kill(child, SIGCONT);
    int status = 1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST_F(Reap, people_are_only_given_up_after_their_lease) {
    const Token token = claim_ticket(2, {.lease_seconds = day, .person = "ann"});
    set_age(token, day - 60);
    EXPECT_EQ(Reaper(root_).look().suspects, 0);
    set_age(token, day + 60);
    EXPECT_EQ(Reaper(root_).look().suspects, 1);
    EXPECT_TRUE(fs::exists(leased_path(token)));
}

TEST_F(Reap, a_ticket_that_lost_too_many_holders_goes_to_quarantine) {
    for (int attempt = 1; attempt <= max_attempts; ++attempt) {
        const Token token = lease_of_dead(2);
        EXPECT_EQ(token.attempt, attempt);
        const ReapReport report = Reaper(root_).look();
        EXPECT_EQ(report.requeued, attempt < max_attempts ? 1 : 0);
        EXPECT_EQ(report.quarantined, attempt < max_attempts ? 0 : 1);
    }
    EXPECT_THAT(names_in(path("quarantine")), ::testing::ElementsAre(first_id + "-000002.a5"));
    EXPECT_THAT(names_in(path("pending")), ::testing::ElementsAre(first_id + "-000001.a1"));
}

TEST_F(Reap, releases_are_kept) {
    Token token = lease_of_dead(2);
    Token released = token;
    released.releases = 4;
    fs::rename(leased_path(token), leased_path(released));
    Reaper(root_).look();
    EXPECT_TRUE(fs::exists(path("pending/" + first_id + "-000002.a2.r4")));
}

TEST_F(Reap, the_token_of_a_finished_ticket_is_removed) {
    const Token token = lease_of_dead(2);
    hand_in(root_, token, {{2, ItemStatus::invalid}});
    const ReapReport report = Reaper(root_).look();
    EXPECT_EQ(report.finished, 1);
    EXPECT_EQ(report.requeued, 0);
    EXPECT_FALSE(fs::exists(leased_path(token)));
    EXPECT_FALSE(fs::exists(path("pending/" + first_id + "-000002.a2")));
}

TEST_F(Reap, a_ticket_with_some_items_left_is_offered_again) {
    const Token token = lease_of_dead(1);
    hand_in(root_, token, {{0, ItemStatus::ok}});
    EXPECT_EQ(Reaper(root_).look().requeued, 1);
    EXPECT_TRUE(fs::exists(path("pending/" + first_id + "-000001.a2")));
}

TEST_F(Reap, leaves_alone_what_is_not_a_lease_of_this_queue) {
    const Token token = lease_of_dead(2);
    Token unknown = token;
    unknown.ticket.batch_id = test::second_id;
    std::ofstream(leased_path(unknown)) << "";
    Token link = token;
    link.ticket.number = 1;
    fs::create_symlink("/etc/passwd", leased_path(link));
    std::ofstream(path("leased/readme")) << "";
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(Reaper(root_).look().requeued, 1);
    const std::string told = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 2) << told;
    EXPECT_TRUE(fs::exists(leased_path(unknown)));
    EXPECT_TRUE(fs::is_symlink(leased_path(link)));
    EXPECT_TRUE(fs::exists(path("leased/readme")));
}

}  // namespace
}  // namespace sluice::queue
