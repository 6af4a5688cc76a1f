#include "oracle/judge.hpp"
#include "tests/support/temporary_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <limits>

namespace sluice::oracle {
namespace {

using queue::ItemResult;
using queue::ItemStatus;
using End = ProcessOutcome::End;

const std::string no_answer = "no answer";
const std::string first = R"({"item": 7, "y": 1.5, "converged": true, "steps": 3})";
const std::string second = R"({"item": 8, "y": [2.5], "units": "J", "converged": true})";

ProcessOutcome finished(const std::string& output, int exit_code = 0) {
    ProcessOutcome outcome;
    outcome.end = End::exited;
    outcome.exit_code = exit_code;
    outcome.output = output;
    outcome.log = "log\n";
    outcome.wall_seconds = 3.0;
    outcome.cpu_seconds = 1.5;
    return outcome;
}

Spec jsonl_spec(const std::string& sections = "") {
    const test::TemporaryDirectory directory;
    const std::string path = directory.file("oracle.ini");
    std::ofstream(path) << "[oracle]\nname = x\ncommand = true\nmode = jsonl\ntime_limit = 2\n"
                        << sections;
    return read_spec(path);
}

std::vector<ItemResult> judged(const ProcessOutcome& outcome, const std::string& sections = "") {
    const std::vector<queue::TicketItem> items = {
        {7, 70, "a", {}, {}}, {8, 80, "b", {}, {}}, {9, 90, "c", {}, {}}};
    const std::vector<ItemResult> results = judge_lines(jsonl_spec(sections), items, outcome);
    EXPECT_EQ(results.size(), 3U);
    for (const ItemResult& result : results)
        EXPECT_NO_THROW(queue::parse_result(queue::result_text(result), "test"));
    return results;
}

void expect(const ItemResult& result, ItemStatus status, const std::string& reason) {
    EXPECT_EQ(queue::status_name(result.status), queue::status_name(status));
    EXPECT_EQ(result.reason, reason);
    EXPECT_TRUE(result.y.empty());
}

// The first two items have their labels, the third one failed so.
void expect_two_and(const ProcessOutcome& outcome, ItemStatus status, const std::string& reason) {
    const std::vector<ItemResult> results = judged(outcome);
    EXPECT_EQ(results[0].y, std::vector<double>{1.5});
    EXPECT_EQ(results[1].y, std::vector<double>{2.5});
    expect(results[2], status, reason);
}

TEST(JudgeLines, each_line_goes_to_its_item) {
    const std::string third = R"({"item": 9, "y": -1, "converged": true})";
    const std::vector<ItemResult> results =
        judged(finished(second + "\n\n" + third + "\r\n" + first));
    EXPECT_EQ(results[0].item, 7);
    EXPECT_EQ(results[0].row, 70);
    EXPECT_EQ(results[0].id, "a");
    EXPECT_EQ(results[0].status, ItemStatus::ok);
    EXPECT_EQ(results[0].y, std::vector<double>{1.5});
    EXPECT_EQ(results[0].quality, "{\"steps\":3}");
    EXPECT_EQ(results[0].log_tail, "");
    EXPECT_EQ(results[0].exit_code, 0);
    EXPECT_EQ(results[0].wall_seconds, 1.0);
    EXPECT_EQ(results[0].cpu_seconds, 0.5);
    EXPECT_EQ(results[1].y, std::vector<double>{2.5});
    EXPECT_EQ(results[1].units, std::vector<std::string>{"J"});
    EXPECT_EQ(results[2].y, std::vector<double>{-1.0});
}

TEST(JudgeLines, lines_before_the_end_count_whatever_the_end) {
    const std::string two = first + "\n" + second + "\n";
    expect_two_and(finished(two), ItemStatus::oracle_error, no_answer);
    expect_two_and(finished(two, 7), ItemStatus::oracle_error, "exit code 7");
    expect_two_and(finished(two, 10), ItemStatus::oracle_error,
                   "the oracle says failed (exit code 10)");
    expect_two_and(finished(two, 75), ItemStatus::refused, "asked to be run later (exit code 75)");
    expect_two_and(finished(two, 30), ItemStatus::refused,
                   "asked its worker to stop (exit code 30)");
    ProcessOutcome outcome = finished(two);
    outcome.end = End::timed_out;
    expect_two_and(outcome, ItemStatus::timeout, "ran longer than 2 s an item");
    outcome.end = End::log_limit;
    expect_two_and(outcome, ItemStatus::oracle_error, "wrote more than 1 MiB of output");
    outcome.end = End::signalled;
    outcome.signal = 9;
    expect_two_and(outcome, ItemStatus::oracle_error, "killed by signal 9 (SIGKILL)");
    EXPECT_EQ(judged(outcome)[2].log_tail, "log\n");
    EXPECT_EQ(judged(outcome)[0].signal, 9);
}

TEST(JudgeLines, a_line_cut_off_by_a_crash_is_no_answer) {
    const std::string line = R"({"item": 9, "y": -10.25, "converged": true})";
    for (std::size_t length = 1; length < line.size(); ++length) {
        ProcessOutcome outcome = finished(first + "\n" + second + "\n" + line.substr(0, length));
        outcome.end = End::signalled;
        outcome.signal = 11;
        expect_two_and(outcome, ItemStatus::oracle_error, "killed by signal 11 (SIGSEGV)");
    }
}

TEST(JudgeLines, garbage_is_no_answer) {
    for (const char* garbage :
         {"LAMMPS (23 Jun 2022)", "[1, 2]", "{}", R"({"y": 1, "converged": true})",
          R"({"item": "9", "y": 1, "converged": true})", R"({"item": 9.0, "y": 1})", "\xff\xff"}) {
        expect_two_and(finished(std::string(garbage) + "\n" + first + "\n" + second + "\n"),
                       ItemStatus::oracle_error,
                       "no answer; the output has lines that are no answers");
    }
}

TEST(JudgeLines, unknown_items_are_no_answers) {
    for (const char* item : {"10", "-1", "9223372036854775808", "18446744073709551615"}) {
        const std::string stranger =
            std::string(R"({"item": )") + item + R"(, "y": 1, "converged": true})";
        expect_two_and(finished(first + "\n" + stranger + "\n" + second + "\n"),
                       ItemStatus::oracle_error,
                       "no answer; the output names items that were not given");
    }
}

TEST(JudgeLines, repeated_answers_have_to_agree) {
    const std::string all = first + "\n" + second + "\n" + first + "\n";
    expect_two_and(finished(all), ItemStatus::oracle_error, no_answer);
    const std::string other = R"({"item": 7, "y": 1.25, "converged": true})";
    const std::vector<ItemResult> results = judged(finished(all + other + "\n" + first + "\n"));
    expect(results[0], ItemStatus::oracle_error, "answered twice, differently");
    EXPECT_EQ(results[1].y, std::vector<double>{2.5});
}

TEST(JudgeLines, an_answer_is_checked_as_any_other) {
    const auto third = [](const std::string& rest, const std::string& sections = "") {
        return judged(finished(R"({"item": 9)" + rest + "}\n"), sections)[2];
    };
    expect(third(R"(, "y": 1)"), ItemStatus::invalid, "converged is missing");
    expect(third(R"(, "y": NaN, "converged": true)"), ItemStatus::invalid, "y is not finite");
    expect(third(R"(, "y": 1e999, "converged": true)"), ItemStatus::invalid, "y is not finite");
    expect(third(R"(, "y": 1, "converged": false)"), ItemStatus::nonconverged, "not converged");
    expect(third(R"(, "status": "refused", "reason": "too far")"), ItemStatus::refused, "too far");
    expect(third(R"(, "status": "done", "converged": true)"), ItemStatus::oracle_error,
           "unknown status in the answer");
    expect(third(R"(, "converged": true)"), ItemStatus::oracle_error, "no y in the answer");
    const std::string rules = "[label e]\nunit = eV\nmin = 0\n";
    EXPECT_EQ(third(R"(, "y": {"e": 2}, "converged": true)", rules).y, std::vector<double>{2.0});
    expect(third(R"(, "y": -1, "converged": true)", rules), ItemStatus::invalid,
           "e is below min 0");
    expect(third(R"(, "y": [1, 2], "converged": true)", rules), ItemStatus::invalid,
           "y has 2 numbers, not 1");
}

TEST(InputText, one_line_of_json) {
    EXPECT_EQ(input_text({0, 7, "a", {"R", "t"}, {2.6, -0.0}}),
              R"({"item":0,"row":7,"id":"a","inputs":{"R":2.6,"t":-0}})");
    EXPECT_EQ(input_text({1, 8, "b", {}, {1e22, 0.1 + 0.2}}),
              R"({"item":1,"row":8,"id":"b","inputs":[1e+22,0.30000000000000004]})");
    EXPECT_EQ(input_text({1, 8, "b", {}, {}}), R"({"item":1,"row":8,"id":"b","inputs":[]})");
}

TEST(InputText, whatever_the_id_it_is_one_line_of_json) {
    for (const std::string id : {"a\nb", "\"},{", "\\", "\xff", "é", "$(x)`y`;'"}) {
        const std::string text =
            input_text({1, 8, id, {"a\"b"}, {std::numeric_limits<double>::quiet_NaN()}});
        EXPECT_EQ(text.find('\n'), std::string::npos);
        const auto json = nlohmann::json::parse(text);
        EXPECT_TRUE(json["inputs"]["a\"b"].is_null());
        if (id != "\xff") {
            EXPECT_EQ(json["id"], id);
        }
    }
}

}  // namespace
}  // namespace sluice::oracle
