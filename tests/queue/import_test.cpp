#include "tests/queue/exchange_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::first_id;
using test::names_in;
using test::tree_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(ExchangeTest, what_is_about_no_item_of_the_queue_is_rejected) {
    give("jsonl");
    const auto before = tree_of(root_);
    std::string text;
    for (const char* id : {"", "x", ":", "x:0", "../../etc:0", "0011:0", "%:6", "%:-1", "%:0x",
                           "%:", "%:99999999999999999999"}) {
        std::string full = id;
        if (full.starts_with('%')) full.replace(0, 1, first_id);
        text += Json{{"sluice_id", full}, {"y", 1}}.dump() + "\n";
    }
    text += R"({"y":1})"
            "\n";
    const ImportReport report = take("jsonl", text);
    EXPECT_EQ(report.rejected.size(), 12U);
    EXPECT_EQ(report.labels, 0);
    EXPECT_EQ(tree_of(root_), before);
}

TEST_F(ExchangeTest, answers_that_cannot_be_read_are_rejected_one_by_one) {
    give("jsonl");
    std::string text;
    for (const char* y : {"{}", "true", "[]", "[1,\"2\"]", "\"cat\"", "1e999", "-1"}) {
        text += fmt::format(R"({{"sluice_id":"{}:0","y":{}}})", first_id, y) + "\n";
    }
    expect_error(ExitCode::bad_data, "answers:6: not a JSON object", [&] { take("jsonl", text); });
    text.erase(text.find("1e999") - 40, 46);
    EXPECT_TRUE(results().empty()) << "a file is taken as a whole or not at all";
}

TEST_F(ExchangeTest, classes_by_name_or_number) {
    const auto answer = [&](const std::string& y) {
        return take("jsonl", fmt::format(R"({{"sluice_id":"{}:0","y":{}}})", first_id, y),
                    {"cat", "dog"});
    };
    for (const char* bad : {"2", "-1", "0.5", "\"cow\"", "\"1\"", "{}", "[true]", "[]", "true"}) {
        EXPECT_EQ(answer(bad).rejected.size(), 1U) << bad;
    }
    EXPECT_EQ(answer("\"dog\"").labels, 1);
    EXPECT_EQ(answer("1").repeats, 1) << "the same class";
    EXPECT_EQ(results().find(0)->second.y, std::vector<double>{1.0});
}

TEST_F(ExchangeTest, a_file_that_is_no_such_format_is_refused_whole) {
    expect_error(ExitCode::bad_data, "not a JSON list", [&] { take("labelstudio", "{}"); });
    expect_error(ExitCode::bad_data, "not a JSON list", [&] { take("labelstudio", "[{]"); });
    expect_error(ExitCode::bad_data, "answers:2: not a JSON object",
                 [&] { take("jsonl", "{\"sluice_id\":\"x\"}\n[]\n"); });
    expect_error(ExitCode::bad_data, "no column sluice_id", [&] { take("csv", "a;b\n1;2\n"); });
    expect_error(ExitCode::bad_data, "no column with answers",
                 [&] { take("csv", "sluice_id\n1\n"); });
    expect_error(ExitCode::bad_data, "answers:2: 1 fields where the header has 2",
                 [&] { take("csv", "sluice_id,label\n1\n"); });
    expect_error(ExitCode::bad_data, "answers:2: a quote is never closed",
                 [&] { take("csv", "sluice_id,label\n\"1,2\n\n"); });
    expect_error(ExitCode::bad_data, "answers:2: text after a closing quote",
                 [&] { take("csv", "sluice_id,label\n\"1\"2,3\n"); });
    EXPECT_EQ(counts(), (Counts{{ItemState::queued, 6}}));
}

TEST_F(ExchangeTest, hostile_tasks_are_no_task) {
    for (const char* text :
         {"[1, null, \"x\", [], {}]", "[{\"data\": 3, \"annotations\": 4}]",
          "[{\"data\": {\"sluice_id\": {}}, \"annotations\": [1, [], {\"result\": 5}]}]",
          "[{\"data\": {\"sluice_id\": \"x:0\"}, \"annotations\": {\"a\": 1}}]"}) {
        EXPECT_EQ(take("labelstudio", text).labels, 0) << text;
        EXPECT_FALSE(take("labelstudio", text).rejected.empty()) << text;
    }
    EXPECT_TRUE(results().empty());
}

TEST_F(ExchangeTest, a_lease_in_a_task_cannot_name_a_worker_s_file) {
    const Token token = worker().claim().value();
    const std::string id = fmt::format("{}:{}", first_id, 2 * (token.ticket.number - 1));
    const Json line = {{"sluice_id", id}, {"y", 1.0}, {"lease", token_name(token)}};
    EXPECT_EQ(take("jsonl", line.dump()).labels, 1);
    EXPECT_THAT(names_in(path("results")), ElementsAre(HasSubstr(".import-0-")));
    EXPECT_TRUE(fs::exists(path("leased/" + token_name(token))));
}

TEST_F(ExchangeTest, text_and_json_of_an_import_say_the_same) {
    ImportReport report;
    report.labels = 1200;
    report.rejected = {"a\x1b[2J"};
    EXPECT_THAT(import_text(report), ::testing::StartsWith("1,200 new labels, "));
    EXPECT_THAT(import_text(report), ::testing::Not(HasSubstr("\x1b")));
    const Json json = Json::parse(import_json(report));
    EXPECT_EQ(json["labels"], 1200);
    EXPECT_EQ(json["rejected"].size(), 1U);
}

}  // namespace
}  // namespace sluice::queue
