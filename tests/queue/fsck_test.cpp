#include "queue/fsck.hpp"

#include "queue/order.hpp"
#include "queue/staging.hpp"
#include "tests/queue/queue_state_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::first_id;
using test::names_in;
using test::publish_part;
using test::publish_sample;
using test::QueueStateTest;
using test::QueueTest;
using test::result_of;
using test::second_id;
using test::sum_of;
using test::tree_of;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Counts = std::map<ItemState, std::int64_t>;

void write_file(const std::string& path, const std::string& text = {}) {
    std::ofstream(path, std::ios::binary) << text;
}

// A process number of this machine that nobody has any more.
pid_t gone_process() {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    ::waitpid(child, nullptr, 0);
    return child;
}

// The name that a process which is gone gave to something in tmp/.
std::string name_of_gone_maker() {
    std::string name = staging_name();
    const std::string own = "." + std::to_string(::getpid()) + ".";
    return name.replace(name.find(own), own.size(), "." + std::to_string(gone_process()) + ".");
}

class FsckTest : public QueueStateTest {
  protected:
    FsckReport check() { return check_queue(root_, std::chrono::milliseconds(5)); }

    // Whole, nothing to do, and every item in one state.
    void expect_clean() {
        const FsckReport report = check();
        EXPECT_THAT(report.problems, IsEmpty());
        EXPECT_THAT(report.repairs, IsEmpty());
        EXPECT_EQ(sum_of(report.counts), report.items);
    }

    // Problems that are told of and not touched, however often one looks.
    template <typename Matcher>
    void expect_untouched(const Matcher& problems) {
        const auto before = tree_of(root_);
        for (int look = 0; look < 2; ++look) {
            const FsckReport report = check();
            EXPECT_THAT(report.problems, problems);
            EXPECT_THAT(report.repairs, IsEmpty());
            EXPECT_EQ(tree_of(root_), before);
        }
    }

    // Puts the queue back to a moment of the batch's publication: issued, nothing moved yet.
    void undo_publication() {
        const std::string tokens = batch_path("tokens");
        fs::create_directory(tokens);
        for (const std::string& name : names_in(path("pending")))
            fs::rename(path("pending/" + name), tokens + "/" + name);
        fs::rename(batch_path("manifest.json"), batch_path("manifest.staged"));
        const std::string staged = read_order(root_).front().staged;
        fs::rename(path("batches/" + first_id), path("tmp/" + staged));
    }

    const std::string token_ = first_id + "-000001.a1";
};

TEST_F(QueueTest, an_empty_queue_is_clean_and_no_queue_is_an_error) {
    expect_error(ExitCode::no_input, "missing", [&] { check_queue(root_); });
    { const Queue queue(root_); }
    const FsckReport report = check_queue(root_);
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(fsck_text(report), "0 batches, 0 items\nclean\n");
}

TEST_F(FsckTest, a_queue_in_use_is_clean_and_every_item_counts_once) {
    expect_clean();
    label_one(ItemStatus::invalid, "not finite");
    settle(label_one());
    const Token token = worker().claim().value();
    publish_part(root_, token, {result_of(worker().open_items(token)[0])});
    expect_clean();
    const FsckReport report = check();
    EXPECT_EQ(report.batches, 1);
    EXPECT_EQ(report.counts, (Counts{{ItemState::invalid, 2},
                                     {ItemState::ingested, 2},
                                     {ItemState::leased, 1},
                                     {ItemState::ok, 1}}));
    EXPECT_THAT(report.notes, IsEmpty());
    EXPECT_THAT(fsck_text(report), ::testing::EndsWith("\nclean\n"));
}

TEST_F(FsckTest, makes_a_lost_token_again) {
    fs::remove(path("pending/" + token_));
    FsckReport report = check();
    EXPECT_THAT(report.repairs, ElementsAre(HasSubstr("made pending/" + token_ + " again")));
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.counts, (Counts{{ItemState::queued, 6}}));
    expect_clean();
}

TEST_F(FsckTest, a_token_made_again_has_an_attempt_more_than_any_seen) {
    Token token = worker().claim().value();
    token.attempt = 3;
    publish_part(root_, token, {result_of(worker().open_items(token)[0])});
    fs::remove_all(path("leased"));
    const FsckReport report = check();
    EXPECT_TRUE(report.clean());
    EXPECT_TRUE(
        fs::exists(path("pending/" + first_id + "-" + number_name(token.ticket.number) + ".a4")));
    EXPECT_THAT(report.repairs, ElementsAre("made the missing folder leased/", HasSubstr(".a4")));
    EXPECT_EQ(report.counts, (Counts{{ItemState::queued, 5}, {ItemState::ok, 1}}));
    expect_clean();
}

TEST_F(FsckTest, makes_no_token_while_a_worker_may_have_it) {
    const Token token = worker().claim().value();
    const std::string lost = names_in(path("pending"))[0];
    fs::remove(path("pending/" + lost));
    expect_untouched(
        ElementsAre(AllOf(HasSubstr("has no token"), HasSubstr("no worker is active"))));
    Token gone = token;
    gone.holder->process = gone_process();
    fs::rename(path("leased/" + token_name(token)), path("leased/" + token_name(gone)));
    EXPECT_TRUE(check().clean());
    EXPECT_TRUE(fs::exists(path("pending/" + lost)));
}

TEST_F(FsckTest, two_tokens_of_a_ticket_are_not_touched) {
    write_file(path("quarantine/" + token_));
    expect_untouched(ElementsAre(AllOf(HasSubstr("has 2 tokens"), HasSubstr("pending/" + token_),
                                       HasSubstr("quarantine/"))));
    EXPECT_EQ(sum_of(check().counts), 6);
}

TEST_F(FsckTest, removes_the_token_of_a_ticket_that_is_finished) {
    const Token token = worker().claim().value();
    std::vector<ItemResult> results;
    for (const TicketItem& item : worker().open_items(token))
        results.push_back(result_of(item));
    publish_part(root_, token, results);  // killed before it could remove the token
    const FsckReport report = check();
    EXPECT_THAT(report.repairs, ElementsAre(HasSubstr("removed leased/" + token_name(token))));
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.counts, (Counts{{ItemState::queued, 4}, {ItemState::ok, 2}}));
    EXPECT_THAT(names_in(path("leased")), IsEmpty());
    expect_clean();
}

TEST_F(FsckTest, completes_a_publication_that_was_cut_short) {
    const auto before = tree_of(root_);
    undo_publication();
    const FsckReport report = check();
    EXPECT_THAT(report.repairs, ElementsAre(HasSubstr("completed batch " + first_id)));
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.counts, (Counts{{ItemState::queued, 6}}));
    EXPECT_EQ(tree_of(root_), before);
    expect_clean();
}

TEST_F(FsckTest, an_issued_batch_that_is_nowhere_is_a_problem) {
    fs::remove_all(batch_path(""));
    expect_untouched(::testing::Contains(HasSubstr("has been issued")));
}

TEST_F(FsckTest, removes_what_processes_that_are_gone_left_in_tmp) {
    const std::string gone = name_of_gone_maker();
    const std::string alive = staging_name();
    write_file(path("tmp/" + gone), "half a line");
    write_file(path("tmp/" + alive), "half a line");
    const FsckReport report = check();
    EXPECT_THAT(report.repairs, ElementsAre(HasSubstr("removed tmp/" + gone)));
    EXPECT_THAT(report.notes, ElementsAre(HasSubstr("tmp/ holds 1 draft")));
    EXPECT_TRUE(report.clean());
    EXPECT_THAT(names_in(path("tmp")), ElementsAre(alive));
}

TEST_F(FsckTest, a_flipped_byte_in_any_file_of_a_batch_is_found) {
    for (const char* name : {"items.h5", "selected.csv", "tickets/000002.jsonl"}) {
        flip_byte(batch_path(name), 30);
        const auto report = check();
        EXPECT_THAT(report.problems,
                    ::testing::Contains(AllOf(HasSubstr(batch_path(name)),
                                              HasSubstr("does not match its manifest"))));
        EXPECT_EQ(report.untrusted, 0);
        flip_byte(batch_path(name), 30);
        expect_clean();
    }
    fs::rename(batch_path("items.h5"), directory_.file("kept"));
    expect_untouched(ElementsAre(HasSubstr("items.h5: missing")));
}

TEST_F(FsckTest, a_manifest_that_does_not_describe_its_batch_is_found) {
    const std::string manifest = read_text_file(batch_path("manifest.json"));
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string text = manifest;
        text.replace(text.find(from), from.size(), to);
        write_file(batch_path("manifest.json"), text);
        const FsckReport report = check();
        EXPECT_FALSE(report.clean()) << from;
        EXPECT_THAT(report.problems, ::testing::Each(HasSubstr(first_id))) << from;
    };
    with("{", "[");
    with("\"items\": 6", "\"items\": 7");
    with("\"tickets\": 3", "\"tickets\": 2");
    with("\"ticket_items\": 2", "\"ticket_items\": 3");
    with("\"id\": \"" + first_id, "\"id\": \"" + second_id);
    with("tickets/000001.jsonl", "tickets/000009.jsonl");
    with("tickets/000001.jsonl", "../../../../../etc/passwd");
    with("items.h5", "items.h6");
    write_file(batch_path("manifest.json"), manifest);
    expect_clean();
}

TEST_F(FsckTest, a_damaged_result_whose_items_are_finished_is_a_problem) {
    const Token token = label_one();
    const std::string file = result_path("results", token);
    flip_byte(file, 5);
    expect_untouched(ElementsAre(HasSubstr("has no token and a result file that is damaged"),
                                 AllOf(HasSubstr(file), HasSubstr("does not match its seal"))));
    fs::remove(file);
    EXPECT_THAT(check().repairs, ElementsAre(HasSubstr(".a1 again")));
    expect_clean();
}

TEST_F(FsckTest, a_damaged_result_whose_items_are_still_offered_is_a_note) {
    const Token token = worker().claim().value();
    publish_part(root_, token, {result_of(worker().open_items(token)[0])});
    flip_byte(result_path("results", token), 5);
    const FsckReport report = check();
    EXPECT_TRUE(report.clean());
    EXPECT_THAT(report.notes, ElementsAre(HasSubstr("does not match its seal")));
    EXPECT_EQ(report.counts, (Counts{{ItemState::queued, 4}, {ItemState::leased, 2}}));
}

TEST_F(FsckTest, links_pipes_and_what_others_may_write_are_not_trusted) {
    const Token token = label_one();
    const std::string file = result_path("results", token);
    const auto expect_one = [&](const std::string& what) {
        const FsckReport report = check();
        EXPECT_THAT(report.problems, ElementsAre(HasSubstr(what)));
        EXPECT_EQ(report.untrusted, 1);
    };
    fs::rename(file, directory_.file("kept"));
    fs::create_symlink(directory_.file("kept"), file);
    const FsckReport linked = check();
    EXPECT_THAT(linked.problems,
                ElementsAre(HasSubstr("a symbolic link"), HasSubstr("has no token")));
    fs::remove(file);
    fs::rename(directory_.file("kept"), file);
    fs::create_hard_link(file, directory_.file("kept"));
    expect_one("has 2 names");
    fs::remove(directory_.file("kept"));
    fs::permissions(file, fs::perms::others_write, fs::perm_options::add);
    expect_one("run: chmod o-w " + file);
    fs::permissions(file, fs::perms::others_write, fs::perm_options::remove);
    fs::permissions(path("pending"), fs::perms::others_write, fs::perm_options::add);
    expect_one("run: chmod o-w " + path("pending"));
    fs::permissions(path("pending"), fs::perms::others_write, fs::perm_options::remove);
    ASSERT_EQ(::mkfifo(path("order/pipe").c_str(), 0600), 0);
    expect_one("a pipe, socket or device");
    fs::remove(path("order/pipe"));
    fs::create_directory_symlink("/", path("batches/" + second_id));
    EXPECT_THAT(check().problems, ::testing::Contains(HasSubstr("a symbolic link")));
    fs::remove(path("batches/" + second_id));
    expect_clean();
}

TEST_F(FsckTest, files_of_others_are_not_trusted) {
    if (::geteuid() != 0) GTEST_SKIP() << "giving files away needs root";
    const std::string token = path("pending/" + token_);
    ASSERT_EQ(::chown(token.c_str(), 65534, 65534), 0);
    EXPECT_THAT(check().problems, ElementsAre(HasSubstr("belongs to user 65534")));
    ASSERT_EQ(::chown(token.c_str(), 0, 0), 0);
    ASSERT_EQ(::chown(root_.c_str(), 65534, 65534), 0);
    expect_error(ExitCode::permission, "belongs to user 65534", [&] { check(); });
    ASSERT_EQ(::chown(root_.c_str(), 0, 0), 0);
}

TEST_F(FsckTest, the_draft_of_an_order_entry_is_its_second_name_for_a_moment) {
    const std::string draft = path("tmp/" + staging_name() + ".order");
    fs::create_hard_link(path("order/000001"), draft);
    EXPECT_TRUE(check().clean());
    fs::rename(draft, directory_.file("kept"));
    EXPECT_THAT(check().problems, ElementsAre(HasSubstr("order/000001: has 2 names")));
}

TEST_F(FsckTest, a_damaged_order_is_found) {
    {
        Queue queue(root_);
        publish_sample(queue, second_id, 3);
    }
    fs::rename(path("order/000001"), directory_.file("kept"));
    expect_untouched(ElementsAre(HasSubstr("order: holds 1 entries but the last is number 2")));
    fs::rename(directory_.file("kept"), path("order/000001"));
    expect_clean();
    fs::remove(path("order/000002"));
    expect_untouched(ElementsAre(HasSubstr(second_id + ": no entry of order/ names it")));
    fs::copy_file(path("order/000001"), path("order/000002"));
    EXPECT_THAT(check().problems,
                ::testing::Contains(HasSubstr("two entries name batch " + first_id)));
}

TEST_F(FsckTest, unknown_names_are_notes) {
    write_file(path("README"));
    write_file(path("pending/core.4711"));
    write_file(path("pending/" + first_id + "-000009.a1"));
    write_file(path("results/notes.txt"));
    write_file(path("order/notes"));
    write_file(batch_path("notes"));
    write_file(batch_path("tickets/000001.jsonl~"));
    const FsckReport report = check();
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.notes.size(), 7U) << fsck_text(report);
    EXPECT_EQ(sum_of(report.counts), 6);
}

TEST_F(FsckTest, text_and_json_say_the_same) {
    write_file(path("quarantine/" + token_));
    write_file(path("README\x1b[2J\xff"));
    const FsckReport report = check();
    EXPECT_THAT(fsck_text(report), ::testing::EndsWith("\n1 problem\n"));
    EXPECT_THAT(fsck_text(report), ::testing::Not(HasSubstr("\x1b")));
    const auto json = nlohmann::json::parse(fsck_json(report));
    EXPECT_EQ(json["problems"].size(), 1U);
    EXPECT_EQ(json["notes"].size(), 1U);
    EXPECT_EQ(json["clean"], false);
    EXPECT_EQ(json["items"], 6);
}

TEST_F(FsckTest, workers_at_work_are_no_problem_and_are_not_harmed) {
    std::atomic<bool> stop{false};
    std::thread restless([&] {
        Claimer claimer(root_, {});
        while (!stop) {
            if (const auto token = claimer.claim()) claimer.give_back(*token);
        }
    });
    std::thread diligent([&] {
        Claimer claimer(root_, {});
        for (int number = 0; number < 12; ++number) {
            Queue queue(root_);
            publish_sample(queue, "00000000000000" + std::to_string(10 + number), 4);
            for (auto token = claimer.claim(); token; token = claimer.claim()) {
                std::vector<ItemResult> results;
                for (const TicketItem& item : claimer.open_items(*token))
                    results.push_back(result_of(item));
                if (!results.empty()) publish_part(root_, *token, results);
                claimer.finish(*token);
            }
        }
    });
    for (int look = 0; look < 30; ++look) {
        const FsckReport report = check_queue(root_);
        EXPECT_THAT(report.problems, IsEmpty());
        EXPECT_THAT(report.repairs, ::testing::Each(::testing::Not(HasSubstr("had no token"))));
        EXPECT_EQ(sum_of(report.counts), report.items);
    }
    diligent.join();
    stop = true;
    restless.join();
    const FsckReport report = check();
    EXPECT_TRUE(report.clean());
    EXPECT_EQ(report.items, 6 + 12 * 4);
}

}  // namespace
}  // namespace sluice::queue
