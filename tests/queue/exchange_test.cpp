#include "tests/queue/exchange_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::first_id;
using test::names_in;
using test::tree_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string joined(const std::vector<std::string>& lines) {
    return fmt::format("{}", fmt::join(lines, ""));
}

TEST(Exchange, formats_have_names_and_summaries) {
    std::vector<std::string> names;
    for (const ExchangeFormat& format : exchange_formats()) {
        names.push_back(format.name);
        EXPECT_FALSE(format.summary.empty());
    }
    EXPECT_THAT(names, ElementsAre("labelstudio", "jsonl", "csv"));
}

TEST_F(ExchangeTest, label_studio_gets_flat_tasks) {
    EXPECT_EQ(give("labelstudio"), 6);
    const Json tasks = Json::parse(exported());
    ASSERT_EQ(tasks.size(), 6U);
    const Json& data = tasks[1]["data"];
    EXPECT_EQ(data["sluice_id"], first_id + ":1");
    EXPECT_EQ(data["row"], 10);
    EXPECT_EQ(data["id"], "item-10");
    EXPECT_EQ(data["x"], 1.0);
    EXPECT_EQ(data["input_y"], -1.5e-300) << "an input must not look like an answer";
    EXPECT_EQ(data["score"].get<float>(), 1.0F / 13.0F);
    EXPECT_THAT(tasks[1]["meta"]["lease"].get<std::string>(),
                ::testing::MatchesRegex(first_id + "-000001\\.a1\\.anna-0-[0-9a-f]+\\.l1209600"));
    EXPECT_TRUE(tasks[1]["predictions"].is_array());
    EXPECT_EQ(counts(), (Counts{{ItemState::leased, 6}}));
    expect_clean();
}

TEST_F(ExchangeTest, takes_whole_tickets_until_there_are_enough_items) {
    EXPECT_EQ(give("jsonl", 3), 4);
    EXPECT_EQ(counts(), (Counts{{ItemState::queued, 2}, {ItemState::leased, 4}}));
    EXPECT_EQ(give("jsonl", 0, "bert"), 2);
    EXPECT_EQ(give("jsonl", 0, "carl"), 0);
    EXPECT_EQ(exported(), "");
    expect_error(ExitCode::usage, "no name for a lease", [&] { give("jsonl", 0, "a/b"); });
    expect_error(ExitCode::usage, "--person", [&] { give("jsonl", 0, ""); });
    expect_error(ExitCode::usage, "choose one of labelstudio, jsonl, csv", [&] { give("xml"); });
}

TEST_F(ExchangeTest, asked_again_the_same_person_gets_the_same_tasks) {
    give("labelstudio", 4);
    const std::string first = exported();
    fs::remove(file_);  // as if killed after the claim
    give("labelstudio", 4);
    EXPECT_EQ(exported(), first);
    EXPECT_EQ(give("labelstudio", 5), 6);
}

TEST_F(ExchangeTest, killed_anywhere_an_export_loses_nothing) {
    for (int microseconds = 0; microseconds < 6000; microseconds += 300) {
        const pid_t child = ::fork();
        if (child == 0) {
            give("csv", 4);
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(microseconds));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        EXPECT_EQ(give("csv", 4), 4);
        EXPECT_EQ(names_in(path("leased")).size(), 2U);
    }
    expect_clean();
}

TEST_F(ExchangeTest, answers_come_back_in_any_order_in_parts_and_again) {
    give("jsonl");
    std::vector<std::string> lines = answered_lines();
    ImportReport report = take("jsonl", lines[4] + lines[1]);
    EXPECT_EQ(report.labels, 2);
    EXPECT_EQ(report.tickets_finished, 0);
    EXPECT_EQ(counts(), (Counts{{ItemState::leased, 4}, {ItemState::ok, 2}}));
    EXPECT_EQ(give("jsonl"), 4) << "answered items are not exported again";
    std::reverse(lines.begin(), lines.end());
    report = take("jsonl", joined(lines));
    EXPECT_EQ(report.labels, 4);
    EXPECT_EQ(report.repeats, 2);
    EXPECT_EQ(report.tickets_finished, 3);
    EXPECT_EQ(counts(), (Counts{{ItemState::ok, 6}}));
    const auto before = tree_of(root_);
    report = take("jsonl", joined(lines));
    EXPECT_EQ(report.labels, 0);
    EXPECT_EQ(report.repeats, 6);
    EXPECT_EQ(tree_of(root_), before);
    expect_clean();
}

TEST_F(ExchangeTest, a_label_says_what_it_is_of_and_who_gave_it) {
    give("jsonl");
    const std::string lease = Json::parse(exported().substr(0, exported().find('\n')))["lease"];
    take("jsonl", answered_lines()[0]);
    const ItemResult result = results().find(0)->second;
    EXPECT_EQ(result.row, 0);
    EXPECT_EQ(result.id, "item-0");
    EXPECT_EQ(result.y, std::vector<double>{10.0});
    EXPECT_FALSE(result.is_class);
    EXPECT_EQ(result.annotator, "anna");
    EXPECT_THAT(lease, HasSubstr(result.worker));
    EXPECT_EQ(result.label_key.size(), 16U);
    EXPECT_THAT(names_in(path("results"))[0], ::testing::MatchesRegex(".*\\.i[0-9a-f]+\\.jsonl"));
}

TEST_F(ExchangeTest, a_lease_that_was_reaped_still_hands_in_its_answers) {
    give("jsonl", 2);
    const std::vector<std::string> lines = answered_lines();
    const std::string leased = names_in(path("leased"))[0];
    const Token token = parse_token(leased).value();
    Token reaped{token.ticket, 2, 0, {}, 0};
    fs::rename(path("leased/" + leased), path("pending/" + token_name(reaped)));
    const ImportReport report = take("jsonl", joined(lines));
    EXPECT_EQ(report.labels, 2);
    EXPECT_EQ(report.tickets_finished, 1);
    EXPECT_THAT(names_in(path("results")),
                ElementsAre(::testing::StartsWith(leased.substr(0, leased.rfind('.')))));
    EXPECT_EQ(counts(), (Counts{{ItemState::queued, 4}, {ItemState::ok, 2}}));
    expect_clean();
}

TEST_F(ExchangeTest, an_import_killed_before_its_lease_ended_is_finished_by_the_next) {
    give("jsonl", 2);
    const std::string leased = names_in(path("leased"))[0];
    const std::vector<std::string> lines = answered_lines();
    take("jsonl", joined(lines));
    std::ofstream(path("leased/" + leased));
    const ImportReport report = take("jsonl", joined(lines));
    EXPECT_EQ(report.repeats, 2);
    EXPECT_EQ(report.tickets_finished, 1);
    EXPECT_TRUE(names_in(path("leased")).empty());
}

TEST_F(ExchangeTest, answers_without_a_lease_are_found_by_id) {
    const std::string line = fmt::format(R"({{"sluice_id":"{}:0","y":1.5}})", first_id);
    EXPECT_EQ(take("jsonl", line).labels, 1);
    EXPECT_EQ(take("jsonl", line).repeats, 1);
    // A worker that takes the ticket is told of the answer.
    Claimer claimer(root_, {});
    std::size_t open = 0;
    for (auto token = claimer.claim(); token; token = claimer.claim())
        open += claimer.open_items(*token).size();
    EXPECT_EQ(open, 5U);
    expect_clean();
}

TEST_F(ExchangeTest, what_everybody_skips_is_cancelled) {
    for (int round = 1; round <= max_refusals; ++round) {
        EXPECT_EQ(give("labelstudio", 2), 2) << round;
        Json tasks = Json::parse(exported());
        for (Json& task : tasks) {
            task["annotations"] = Json::parse(R"([{"result": [], "was_cancelled": true,
                                                   "completed_by": 3}])");
        }
        ImportReport report = take("labelstudio", tasks.dump());
        EXPECT_EQ(report.skipped, 2);
        EXPECT_EQ(report.tickets_finished, round == max_refusals ? 1 : 0);
        EXPECT_TRUE(names_in(path("leased")).empty()) << "skipped items are for others to take";
        report = take("labelstudio", tasks.dump());
        EXPECT_EQ(report.repeats, 2) << "the same refusal counts once";
        // The rest is out of reach, so that the same ticket comes again.
        if (round == 1) {
            for (const std::string& name : names_in(path("pending"))) {
                if (name.find(".r1") == std::string::npos) {
                    fs::rename(path("pending/" + name), path("quarantine/" + name));
                }
            }
        }
    }
    EXPECT_EQ(counts(), (Counts{{ItemState::cancelled, 2}, {ItemState::lost, 4}}));
    expect_clean();
}

TEST_F(ExchangeTest, takes_label_studio_s_choices_numbers_and_several_annotators) {
    give("labelstudio");
    Json tasks = Json::parse(exported());
    const auto mark = [](const std::string& name, const std::string& type, const Json& value) {
        return Json{
            {"from_name", name}, {"to_name", "t"}, {"type", type}, {"value", {{type, value}}}};
    };
    const auto annotation = [](const Json& result, const Json& user) {
        return Json{{"id", 1},
                    {"result", result},
                    {"was_cancelled", false},
                    {"completed_by", user},
                    {"lead_time", 4.25}};
    };
    const Json dog = Json::array({mark("c", "choices", Json::array({"dog"}))});
    const Json cat = Json::array({mark("c", "choices", Json::array({"cat"}))});
    const auto list = [](const auto&... values) { return Json::array({values...}); };
    tasks[0]["annotations"] =
        list(annotation(dog, 7), annotation(cat, Json{{"id", 8}, {"email", "b@c"}}));
    const Json pair = list(mark("b", "number", 2.5), mark("a", "number", 1.5));
    tasks[1]["annotations"] = list(annotation(pair, 7));
    tasks[2]["annotations"] = list(annotation(list(mark("r", "rating", 4)), 7));
    tasks[3]["annotations"] = Json::array();
    tasks[4]["annotations"] =
        list(annotation(list(mark("c", "choices", Json::array({"cat", "dog"}))), 7));
    tasks[5]["annotations"] = list(annotation(list(mark("c", "choices", Json::array({"cow"}))), 7));
    const ImportReport report = take("labelstudio", tasks.dump(), {"cat", "dog"});
    EXPECT_EQ(report.labels, 4);
    EXPECT_EQ(report.unanswered, 1);
    EXPECT_THAT(report.rejected, ElementsAre(HasSubstr("task 5: more than one choice"),
                                             HasSubstr("'cow' is no class")));
    const auto all = results();
    std::map<std::string, double> by_annotator;
    const auto [begin, end] = all.equal_range(0);
    for (auto result = begin; result != end; ++result) {
        EXPECT_TRUE(result->second.is_class);
        by_annotator[result->second.annotator] = result->second.y[0];
    }
    EXPECT_EQ(by_annotator, (std::map<std::string, double>{{"7", 1.0}, {"b@c", 0.0}}));
    EXPECT_EQ(all.find(1)->second.y, (std::vector<double>{1.5, 2.5}));
    EXPECT_EQ(all.find(1)->second.wall_seconds, 4.25);
    EXPECT_EQ(all.find(2)->second.y, std::vector<double>{4.0});
    EXPECT_EQ(queue_status(root_).repeats, 1);
    expect_clean();
}

TEST_F(ExchangeTest, a_table_goes_out_and_comes_back) {
    give("csv");
    std::string text = exported();
    EXPECT_THAT(text, ::testing::StartsWith(
                          "sluice_id,row,id,x,input_y,score,lease,label,annotator,skip\n" +
                          first_id + ":0,0,item-0,0,-1.5e-300,"));
    const std::string head = "\xef\xbb\xbfsluice_id,note,y_0,y_1,annotator,skip\r\n";
    ImportReport report =
        take("csv", head + first_id + ":3,\"a \"\"b\"\",\r\nc\",1.5,-2,anna,\r\n" + first_id +
                        ":2,,,,anna,yes\r\n" + first_id + ":1,,,,,\r\n\r\n" + first_id +
                        ":0,,1,,,\r\n" + first_id + ":0,,1,two,,");
    EXPECT_EQ(report.labels, 1);
    EXPECT_EQ(report.skipped, 1);
    EXPECT_EQ(report.unanswered, 1);
    EXPECT_THAT(report.rejected, ElementsAre(HasSubstr("answers:7: some of the columns"),
                                             HasSubstr("answers:8: 'two' in column y_1")));
    EXPECT_EQ(results().find(3)->second.y, (std::vector<double>{1.5, -2.0}));
    report = take("csv", "sluice_id,label\n" + first_id + ":4,2\n" + first_id + ":5,2.5\n" +
                             first_id + ":5,9007199254740993\n");
    EXPECT_EQ(report.labels, 1);
    EXPECT_EQ(report.rejected.size(), 2U);
    EXPECT_TRUE(results().find(4)->second.is_class);
}

}  // namespace
}  // namespace sluice::queue
