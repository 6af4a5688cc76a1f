#include "queue/snapshot.hpp"

#include "tests/queue/labeling_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::first_id;
using test::hand_in;
using test::names_in;
using test::result_name;
using Snapshots = test::LabelingTest;

TEST_F(Snapshots, find_every_file_of_a_ticket) {
    const Token token = claim_ticket(1);
    hand_in(root_, token, {{0, ItemStatus::ok}}, "p1");
    const std::string settled = names_in(path("results"))[0];
    fs::rename(path("results/" + settled), path("settled/" + settled));
    hand_in(root_, token, {{1, ItemStatus::ok}}, "p2");
    std::ofstream(path("quarantine/" + first_id + "-000007.a5")) << "";
    const Snapshot snapshot = take_snapshot(root_);
    EXPECT_THAT(snapshot.foreign, ::testing::IsEmpty());
    const TicketFiles& files = snapshot.tickets.at({first_id, 1});
    EXPECT_EQ(files.leased, std::vector<Token>{token});
    EXPECT_TRUE(files.pending.empty());
    EXPECT_THAT(files.results, ::testing::ElementsAre(result_file_name(result_name(token, "p2"))));
    EXPECT_THAT(files.settled, ::testing::ElementsAre(settled));
    EXPECT_EQ(snapshot.tickets.at({first_id, 7}).quarantined.at(0).attempt, 5);
    const TicketFiles same = results_of_ticket(root_, {first_id, 1});
    EXPECT_EQ(same.results, files.results);
    EXPECT_EQ(same.settled, files.settled);
    EXPECT_TRUE(results_of_ticket(root_, {first_id, 2}).results.empty());
    EXPECT_TRUE(results_of_ticket(root_, {first_id, 10}).results.empty());
}

TEST_F(Snapshots, name_what_does_not_belong) {
    const std::string holder = ".n-1-" + std::string(20, '0');
    std::ofstream(path("pending/readme")) << "";
    std::ofstream(path("pending/" + first_id + "-000001.a2" + holder + ".l3")) << "";
    std::ofstream(path("leased/" + first_id + "-000001.a1")) << "";
    std::ofstream(path("results/core.123")) << "";
    std::ofstream(path("settled/.nfs0001")) << "";
    std::ofstream(path("quarantine/x")) << "";
    std::ofstream(path("quarantine/rejected-1.jsonl")) << "";
    EXPECT_THAT(take_snapshot(root_).foreign,
                ::testing::ElementsAre("pending/" + first_id + "-000001.a2" + holder + ".l3",
                                       "pending/readme", "leased/" + first_id + "-000001.a1",
                                       "quarantine/x", "results/core.123", "settled/.nfs0001"));
}

TEST_F(Snapshots, put_results_in_the_order_that_decides_which_label_is_first) {
    const auto name = [](int attempt, int releases, const std::string& host, std::int64_t process,
                         const std::string& part) {
        ResultName result;
        result.token.ticket = {first_id, 1};
        result.token.attempt = attempt;
        result.token.releases = releases;
        result.token.holder = Holder{host, process, std::string(20, 'a')};
        result.part = part;
        return result_file_name(result);
    };
    const std::vector<std::string> expected = {name(2, 0, "z", 1, "p"),   name(2, 2, "a", 1, "p"),
                                               name(2, 10, "a", 9, "p"),  name(2, 10, "a", 10, "p"),
                                               name(2, 10, "b", 1, "p1"), name(2, 10, "b", 1, "p2"),
                                               name(10, 0, "a", 1, "p")};
    for (const std::string& file : expected)
        std::ofstream(path("results/" + file)) << "";
    EXPECT_EQ(results_of_ticket(root_, {first_id, 1}).results, expected);
    EXPECT_EQ(take_snapshot(root_).tickets.at({first_id, 1}).results, expected);
}

TEST_F(Snapshots, show_what_is_really_there_twice) {
    const Token token = claim_ticket(1);
    std::ofstream(path("pending/" + first_id + "-000001.a1")) << "";
    const TicketFiles files = take_snapshot(root_).tickets.at({first_id, 1});
    EXPECT_EQ(files.pending.size(), 1U);
    EXPECT_EQ(files.leased.size(), 1U);
}

}  // namespace
}  // namespace sluice::queue
