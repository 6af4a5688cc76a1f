#include "queue/claim.hpp"

#include "core/process_place.hpp"
#include "tests/queue/labeling_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::first_id;
using test::hand_in;
using test::names_in;
using test::second_id;
using Claim = test::LabelingTest;

std::vector<std::int64_t> numbers_of(const std::vector<TicketItem>& items) {
    std::vector<std::int64_t> numbers;
    for (const TicketItem& item : items)
        numbers.push_back(item.item);
    return numbers;
}

std::int64_t modified(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mtim.tv_sec;
}

TEST_F(Claim, takes_every_ticket_once_and_names_the_holder) {
    Claimer claimer(root_, {});
    std::set<std::int64_t> numbers;
    while (const std::optional<Token> token = claimer.claim()) {
        EXPECT_TRUE(numbers.insert(token->ticket.number).second);
        EXPECT_EQ(token->ticket.batch_id, first_id);
        EXPECT_EQ(token->lease_seconds, 300);
        EXPECT_EQ(token->holder->process, ::getpid());
        EXPECT_THAT(token->holder->nonce,
                    ::testing::MatchesRegex(process_place() + "[0-9a-f]{12}"));
        EXPECT_TRUE(fs::exists(leased_path(*token)));
        EXPECT_EQ(parse_token(token_name(*token)), *token);
    }
    EXPECT_EQ(numbers, (std::set<std::int64_t>{1, 2}));
    EXPECT_TRUE(names_in(path("pending")).empty());
    EXPECT_FALSE(claimer.any_left());
}

TEST_F(Claim, a_fresh_lease_does_not_look_old) {
    for (const std::string& name : names_in(path("pending"))) {
        fs::last_write_time(path("pending/" + name),
                            fs::file_time_type::clock::now() - std::chrono::hours(48));
    }
    const std::time_t before = std::time(nullptr);
    EXPECT_GE(modified(leased_path(claim_ticket(1))), before - 1);
}

TEST_F(Claim, renewing_sets_the_time_and_tells_when_the_lease_is_lost) {
    Claimer claimer(root_, {});
    const Token token = *claimer.claim();
    set_age(token, 1000);
    const std::time_t before = std::time(nullptr);
    EXPECT_TRUE(claimer.renew(token));
    EXPECT_GE(modified(leased_path(token)), before - 1);
    fs::remove(leased_path(token));
    EXPECT_FALSE(claimer.renew(token));
    EXPECT_FALSE(fs::exists(leased_path(token)));
    claimer.finish(token);
    claimer.give_back(token);
    EXPECT_EQ(names_in(path("pending")).size(), 1U);
}

TEST_F(Claim, finishing_removes_the_token) {
    Claimer claimer(root_, {});
    const Token token = *claimer.claim();
    claimer.finish(token);
    EXPECT_TRUE(names_in(path("leased")).empty());
    EXPECT_EQ(names_in(path("pending")).size(), 1U);
}

TEST_F(Claim, what_is_given_back_is_no_lost_attempt_and_pauses_for_this_worker_only) {
    Claimer claimer(root_, {});
    const Token other = *claimer.claim();
    const Token token = *claimer.claim();
    claimer.give_back(token, std::chrono::seconds(3600));
    EXPECT_FALSE(claimer.claim().has_value());
    EXPECT_TRUE(claimer.any_left());
    Token again = *Claimer(root_, {}).claim();
    EXPECT_EQ(again.ticket, token.ticket);
    EXPECT_EQ(again.attempt, 1);
    EXPECT_EQ(again.releases, 1);
    claimer.give_back(other);
    EXPECT_EQ(claimer.claim()->releases, 1);
}

TEST_F(Claim, open_items_are_those_without_a_final_result) {
    Claimer claimer(root_, {});
    Token token = claim_ticket(1);
    EXPECT_EQ(numbers_of(claimer.open_items(token)), (std::vector<std::int64_t>{0, 1}));
    hand_in(root_, token, {{0, ItemStatus::nonconverged}, {1, ItemStatus::refused}});
    claimer.give_back(token);
    token = claim_ticket(1);
    EXPECT_EQ(numbers_of(claimer.open_items(token)), (std::vector<std::int64_t>{1}));
    hand_in(root_, token, {{1, ItemStatus::ok}});
    fs::rename(path("results/" + names_in(path("results"))[0]),
               path("settled/" + names_in(path("results"))[0]));
    claimer.give_back(token);
    token = claim_ticket(1);
    EXPECT_EQ(token.releases, 2);
    EXPECT_TRUE(claimer.open_items(token).empty());
}

TEST_F(Claim, damaged_results_do_not_count) {
    Claimer claimer(root_, {});
    const Token token = claim_ticket(2);
    hand_in(root_, token, {{2, ItemStatus::ok}});
    std::ofstream(path("results/" + names_in(path("results"))[0]), std::ios::app) << "x";
    claimer.give_back(token);
    const Token again = claim_ticket(2);
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(claimer.open_items(again).size(), 1U);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("damaged"));
}

TEST_F(Claim, tagged_batches_are_for_workers_with_the_tag) {
    Batch batch = test::sample_batch(second_id, queue_.issued_rows(), 2);
    batch.tag = "gpu";
    queue_.publish(batch, 1);
    Claimer plain(root_, {});
    while (const std::optional<Token> token = plain.claim())
        EXPECT_EQ(token->ticket.batch_id, first_id);
    EXPECT_FALSE(plain.any_left());
    EXPECT_FALSE(Claimer(root_, {.tags = {"human", "gp"}}).claim().has_value());
    Claimer tagged(root_, {.tags = {"human", "gpu"}});
    EXPECT_TRUE(tagged.any_left());
    EXPECT_EQ(tagged.claim()->ticket.batch_id, second_id);
}

TEST_F(Claim, people_hold_leases_under_their_name) {
    Claimer claimer(root_, {.lease_seconds = 14 * 86400, .person = "ann-2"});
    const Token token = *claimer.claim();
    EXPECT_EQ(token.holder->name, "ann-2");
    EXPECT_EQ(token.holder->process, 0);
    for (const std::string name : {"a b", "../x", "a.b", "a\n"}) {
        expect_error(ExitCode::usage, "no name for a lease",
                     [&] { Claimer(root_, {.person = name}); });
    }
    expect_error(ExitCode::usage, "no name for a lease",
                 [&] { Claimer(root_, {.person = std::string(64, 'a')}); });
}

TEST_F(Claim, what_somebody_planted_is_left_alone_and_warned_of_once) {
    for (const std::string& name : names_in(path("pending")))
        fs::remove(path("pending/" + name));
    const std::string victim = directory_.file("victim");
    std::ofstream(victim) << "text";
    fs::create_symlink(victim, path("pending/" + first_id + "-000001.a1"));
    fs::create_directory(path("pending/" + first_id + "-000002.a1"));
    for (const std::string& name :
         {first_id + "-000003.a1", second_id + "-000001.a1", std::string("readme"),
          first_id + "-000001.a1.n-1-" + std::string(20, '0') + ".l1"}) {
        std::ofstream(path("pending/" + name)) << "";
    }
    const std::vector<std::string> before = names_in(path("pending"));
    const auto time = fs::last_write_time(victim);
    Claimer claimer(root_, {});
    ::testing::internal::CaptureStderr();
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(claimer.claim().has_value());
        EXPECT_FALSE(claimer.any_left());
    }
    const std::string told = ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 6) << told;
    EXPECT_EQ(names_in(path("pending")), before);
    EXPECT_TRUE(names_in(path("leased")).empty());
    EXPECT_EQ(fs::last_write_time(victim), time);
}

TEST_F(Claim, tokens_of_others_are_left_alone) {
    if (::geteuid() != 0) GTEST_SKIP() << "giving files away needs root";
    for (const std::string& name : names_in(path("pending")))
        ASSERT_EQ(::chown(path("pending/" + name).c_str(), 65534, 65534), 0);
    ::testing::internal::CaptureStderr();
    EXPECT_FALSE(Claimer(root_, {}).claim().has_value());
    EXPECT_THAT(::testing::internal::GetCapturedStderr(), ::testing::HasSubstr("left alone"));
    EXPECT_EQ(names_in(path("pending")).size(), 2U);
}

TEST_F(Claim, tickets_of_a_batch_that_is_still_being_published_wait_quietly) {
    fs::rename(batch_path("manifest.json"), batch_path("manifest.staged"));
    Claimer claimer(root_, {});
    ::testing::internal::CaptureStderr();
    EXPECT_FALSE(claimer.claim().has_value());
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
    fs::rename(batch_path("manifest.staged"), batch_path("manifest.json"));
    EXPECT_TRUE(claimer.claim().has_value());
}

TEST_F(Claim, a_missing_folder_is_an_error_and_no_empty_queue) {
    fs::remove(path("leased"));
    expect_error(ExitCode::no_input, "leased", [&] { Claimer(root_, {}).claim(); });
}

// A batch of single items that has all a claim looks at, and no files that take time to sync.
void make_large_batch(const std::string& queue_directory, std::int64_t num_tickets) {
    const std::string batch = queue_directory + "/batches/" + second_id;
    nlohmann::json manifest = {
        {"id", second_id}, {"items", num_tickets}, {"tickets", num_tickets}, {"ticket_items", 1}};
    for (std::int64_t number = 1; number <= num_tickets; ++number) {
        manifest["files"]["tickets/" + number_name(number) + ".jsonl"] = {{"sha256", ""}};
        const Token token{{second_id, number}, 1, 0, std::nullopt, 0};
        std::ofstream(queue_directory + "/pending/" + token_name(token)) << "";
    }
    fs::create_directory(batch);
    std::ofstream(batch + "/manifest.json") << manifest;
}

// In a child process: claims all it can and writes the ticket numbers, one a line.
void claim_all(const std::string& queue_directory, const std::string& report) {
    Claimer claimer(queue_directory, {});
    std::ofstream file(report);
    while (const std::optional<Token> token = claimer.claim())
        file << token->ticket.number << "\n";
    file.flush();
    ::_exit(file ? 0 : 1);
}

TEST_F(Claim, eight_processes_claim_each_ticket_exactly_once) {
    constexpr std::int64_t num_tickets = 2000;
    constexpr int num_processes = 8;
    make_large_batch(root_, num_tickets);
    std::vector<pid_t> children;
    for (int i = 0; i < num_processes; ++i) {
        children.push_back(::fork());
        ASSERT_GE(children.back(), 0);
        if (children.back() == 0) claim_all(root_, directory_.file("claims-" + std::to_string(i)));
    }
    std::multiset<std::int64_t> claimed;
    for (int i = 0; i < num_processes; ++i) {
        int status = 0;
        ASSERT_EQ(::waitpid(children[static_cast<std::size_t>(i)], &status, 0),
                  children[static_cast<std::size_t>(i)]);
        EXPECT_EQ(status, 0);
        std::ifstream file(directory_.file("claims-" + std::to_string(i)));
        for (std::int64_t number = 0; file >> number;)
            claimed.insert(number);
    }
    EXPECT_EQ(claimed.size(), static_cast<std::size_t>(num_tickets + 2));
    for (std::int64_t number = 3; number <= num_tickets; ++number)
        EXPECT_EQ(claimed.count(number), 1U) << number;
    EXPECT_EQ(names_in(path("leased")).size(), static_cast<std::size_t>(num_tickets + 2));
    EXPECT_TRUE(names_in(path("pending")).empty());
}

}  // namespace
}  // namespace sluice::queue
