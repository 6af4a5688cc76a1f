#include "queue/result_line.hpp"

#include "tests/queue/sample_results.hpp"
#include "tests/support/expect_error.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace sluice::queue {
namespace {

using test::expect_error;
using test::sample_result;

constexpr double infinity = std::numeric_limits<double>::infinity();

ItemResult through_text(const ItemResult& result) {
    const std::string line = result_text(result);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    return parse_result(line, "f:1");
}

ItemResult full_result() {
    ItemResult result = sample_result(7, ItemStatus::ok);
    result.reason = "it did";
    result.y = {-0.0, 1.0 / 3.0, 5e-324, -1.7976931348623157e308, 3.0};
    result.units = {"eV", "eV", "", "\xc3\x85", "1"};
    result.label_key = "abc";
    result.oracle_hash = "def";
    result.annotator = "Zo\xc3\xab";
    result.worker = "node-1-0";
    result.job_id = "12_3";
    result.started = 1.7e9 + 0.1;
    result.cpu_seconds = 0.1;
    result.peak_memory_kib = std::int64_t{1} << 40;
    result.exit_code = 0;
    result.signal = -9;
    result.tries = 3;
    result.quality = R"({"z":1,"a":[0.1,true]})";
    result.log_tail = "one\ntwo\r\n\ttab";
    result.artifacts = "node:/tmp/x";
    return result;
}

TEST(ResultLine, every_field_reads_back) {
    const ItemResult given = full_result();
    const ItemResult read = through_text(given);
    EXPECT_EQ(read.item, given.item);
    EXPECT_EQ(read.row, given.row);
    EXPECT_EQ(read.id, given.id);
    EXPECT_EQ(read.status, given.status);
    EXPECT_EQ(read.reason, given.reason);
    EXPECT_EQ(read.is_class, given.is_class);
    EXPECT_EQ(read.units, given.units);
    EXPECT_EQ(read.label_key, given.label_key);
    EXPECT_EQ(read.oracle_hash, given.oracle_hash);
    EXPECT_EQ(read.annotator, given.annotator);
    EXPECT_EQ(read.worker, given.worker);
    EXPECT_EQ(read.job_id, given.job_id);
    EXPECT_EQ(read.started, given.started);
    EXPECT_EQ(read.wall_seconds, given.wall_seconds);
    EXPECT_EQ(read.cpu_seconds, given.cpu_seconds);
    EXPECT_EQ(read.peak_memory_kib, given.peak_memory_kib);
    EXPECT_EQ(read.exit_code, given.exit_code);
    EXPECT_EQ(read.signal, given.signal);
    EXPECT_EQ(read.tries, given.tries);
    EXPECT_EQ(read.quality, given.quality);
    EXPECT_EQ(read.log_tail, given.log_tail);
    EXPECT_EQ(read.artifacts, given.artifacts);
    EXPECT_EQ(result_text(read), result_text(given));
}

TEST(ResultLine, numbers_read_back_to_the_same_bits) {
    std::mt19937_64 random(1);
    ItemResult result = full_result();
    while (result.y.size() < 10'000) {
        const double value = std::bit_cast<double>(random());
        if (std::isfinite(value)) result.y.push_back(value);
    }
    result.units.clear();
    const ItemResult read = through_text(result);
    ASSERT_EQ(read.y.size(), result.y.size());
    for (std::size_t i = 0; i < read.y.size(); ++i) {
        EXPECT_EQ(std::bit_cast<std::uint64_t>(read.y[i]),
                  std::bit_cast<std::uint64_t>(result.y[i]));
    }
}

TEST(ResultLine, every_status_has_a_name) {
    for (const ItemStatus status :
         {ItemStatus::ok, ItemStatus::nonconverged, ItemStatus::invalid, ItemStatus::timeout,
          ItemStatus::oracle_error, ItemStatus::refused}) {
        EXPECT_EQ(parse_status(status_name(status)), status);
        EXPECT_EQ(through_text(sample_result(0, status)).status, status);
    }
    EXPECT_FALSE(parse_status("OK").has_value());
}

TEST(ResultLine, text_of_any_bytes_stays_on_one_line_and_readable) {
    ItemResult result = sample_result(0, ItemStatus::oracle_error);
    for (int byte = 0; byte < 256; ++byte)
        result.log_tail += static_cast<char>(byte);
    result.reason = "\xed\xa0\x80 surrogate, overlong \xc0\x80 \xf4\x90\x80\x80 cut \xe2\x82";
    result.id = "a\nb\"c\\d\xe2\x80\xa8";
    const ItemResult read = through_text(result);
    EXPECT_EQ(read.id, result.id);
    EXPECT_NE(read.log_tail.find("\\xff"), std::string::npos);
    EXPECT_NE(read.reason.find("surrogate"), std::string::npos);
    EXPECT_EQ(result_text(read), result_text(through_text(read)));
}

TEST(ResultLine, quality_that_is_no_small_object_is_kept_as_text) {
    ItemResult result = sample_result(0, ItemStatus::ok);
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    for (const std::string& text : {std::string("nonsense"), std::string("[1]"),
                                    std::string("{\"x\":NaN}"), "{\"x\":" + deep + "}"}) {
        result.quality = text;
        EXPECT_EQ(through_text(result).quality.rfind("{\"text\":", 0), 0U) << text.substr(0, 20);
    }
}

TEST(ResultLine, what_breaks_the_contract_is_never_written) {
    for (const double bad : {std::nan(""), infinity, -infinity}) {
        ItemResult result = sample_result(0, ItemStatus::ok);
        result.y = {bad};
        expect_error(ExitCode::internal, "y is not finite", [&] { result_text(result); });
        result = sample_result(0, ItemStatus::ok);
        result.wall_seconds = bad;
        expect_error(ExitCode::internal, "time is not finite", [&] { result_text(result); });
    }
    ItemResult result = sample_result(0, ItemStatus::ok);
    result.y.clear();
    expect_error(ExitCode::internal, "only to it", [&] { result_text(result); });
    result = sample_result(0, ItemStatus::timeout);
    result.y = {0.0};
    expect_error(ExitCode::internal, "only to it", [&] { result_text(result); });
    result = sample_result(0, ItemStatus::ok);
    result.is_class = true;
    result.y = {1.5};
    expect_error(ExitCode::internal, "class index", [&] { result_text(result); });
}

TEST(ResultLine, refuses_lines_that_are_no_results) {
    const std::string head = R"({"item":0,"row":1,"id":"a","status":"ok")";
    EXPECT_EQ(parse_result(head + ",\"y\":[1]}", "f").y, std::vector<double>{1.0});
    for (const std::string& line : std::vector<std::string>{
             "",
             "null",
             "[]",
             "{}",
             "{",
             "\xff",
             head + "}",
             head + ",\"y\":[]}",
             head + ",\"y\":[null]}",
             head + ",\"y\":[NaN]}",
             head + ",\"y\":[1e999]}",
             head + ",\"y\":[-Infinity]}",
             head + ",\"y\":[\"1\"]}",
             head + ",\"y\":1}",
             head + ",\"y\":[[1]]}",
             head + ",\"y\":[1]} x",
             head + ",\"y\":[1],\"units\":[1]}",
             head + ",\"y\":[1],\"tries\":1.5}",
             head + ",\"y\":[1],\"tries\":99999999999}",
             head + ",\"y\":[1],\"is_class\":1}",
             head + ",\"y\":[1],\"reason\":null}",
             head + ",\"y\":[1.5],\"is_class\":true}",
             head + ",\"y\":[-1],\"is_class\":true}",
             head + ",\"y\":[1,2],\"is_class\":true}",
             head + ",\"y\":[1],\"quality\":\"x\"}",
             head + ",\"y\":[1],\"wall_seconds\":\"1\"}",
             R"({"item":-1,"row":1,"id":"a","status":"ok","y":[1]})",
             R"({"item":0,"row":18446744073709551615,"id":"a","status":"ok","y":[1]})",
             R"({"item":0.5,"row":1,"id":"a","status":"ok","y":[1]})",
             R"({"item":0,"row":1,"id":7,"status":"ok","y":[1]})",
             R"({"item":0,"row":1,"id":"a","status":"fine","y":[1]})",
             R"({"item":0,"row":1,"id":"a","status":"refused","y":[1]})"}) {
        expect_error(ExitCode::bad_data, "f.jsonl:3: ", [&] { parse_result(line, "f.jsonl:3"); });
    }
}

}  // namespace
}  // namespace sluice::queue
