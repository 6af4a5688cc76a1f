#include "queue/result_file.hpp"

#include "core/durable_file.hpp"
#include "core/sha256.hpp"
#include "queue/publish.hpp"
#include "tests/queue/queue_fixture.hpp"
#include "tests/queue/sample_results.hpp"
#include "tests/support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::first_id;
using test::names_in;
using test::sample_result;

class ResultFileTest : public test::QueueTest {
  protected:
    ResultFileTest() { Queue queue(root_); }

    std::string publish_two() {
        publish_results(root_, name_, results_);
        return path("results/" + result_file_name(name_));
    }

    void overwrite(const std::string& file, const std::string& text) {
        std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    }

    ResultName name_{{{first_id, 1}, 1, 0, Holder{"node", 12, "0123456789abcdef0123"}, 0}, "p1"};
    std::vector<ItemResult> results_ = {sample_result(0, ItemStatus::ok),
                                        sample_result(1, ItemStatus::timeout)};
};

TEST_F(ResultFileTest, what_is_published_reads_back_with_its_seal) {
    const std::string file = publish_two();
    const ResultFile read = read_result_file(file);
    ASSERT_EQ(read.results.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i)
        EXPECT_EQ(result_text(read.results[i]), result_text(results_[i]));
    EXPECT_EQ(read.seal.lines, 2);
    EXPECT_EQ(read.seal.wall_seconds, 0.5);
    EXPECT_EQ(read.seal.counts, (std::map<std::string, std::int64_t>{{"ok", 1}, {"timeout", 1}}));
    const std::string lines = result_text(results_[0]) + "\n" + result_text(results_[1]) + "\n";
    EXPECT_EQ(read.seal.sha256, sha256_hex(lines));
    const ResultSeal seal = read_seal(file);
    EXPECT_EQ(seal.sha256, read.seal.sha256);
    EXPECT_EQ(seal.counts, read.seal.counts);
    EXPECT_TRUE(names_in(path("tmp")).empty());
}

TEST_F(ResultFileTest, what_was_given_back_has_not_ended) {
    results_[1] = sample_result(1, ItemStatus::refused);
    const ResultSeal seal = read_seal(publish_two());
    EXPECT_EQ(seal.lines, 2);
    EXPECT_EQ(seal.num_ended(), 1);
}

TEST_F(ResultFileTest, the_seal_is_found_behind_long_lines) {
    results_[1].log_tail = std::string(200'000, 'x');
    const std::string file = publish_two();
    EXPECT_EQ(read_seal(file).lines, 2);
    EXPECT_EQ(read_result_file(file).results[1].log_tail.size(), 200'000U);
    results_.clear();
    name_.part = "p2";
    EXPECT_EQ(read_seal(publish_two()).lines, 0);
    EXPECT_TRUE(read_result_file(path("results/" + result_file_name(name_))).results.empty());
}

TEST_F(ResultFileTest, a_name_is_published_once_also_when_it_has_been_settled) {
    const std::string file = publish_two();
    const std::string before = read_text_file(file);
    results_.pop_back();
    publish_two();
    EXPECT_EQ(read_text_file(file), before);
    fs::rename(file, path("settled/" + result_file_name(name_)));
    publish_two();
    EXPECT_TRUE(names_in(path("results")).empty());
    EXPECT_TRUE(names_in(path("tmp")).empty());
}

TEST_F(ResultFileTest, every_flipped_byte_and_every_truncation_is_noticed) {
    const std::string file = publish_two();
    const std::string text = read_text_file(file);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string changed = text;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        overwrite(file, changed);
        expect_error(ExitCode::bad_data, file, [&] { read_result_file(file); });
        overwrite(file, text.substr(0, i));
        expect_error(ExitCode::bad_data, file, [&] { read_result_file(file); });
    }
    overwrite(file, text + text);
    expect_error(ExitCode::bad_data, file, [&] { read_result_file(file); });
}

TEST_F(ResultFileTest, a_missing_seal_is_noticed) {
    const std::string file = publish_two();
    overwrite(file, result_text(results_[0]) + "\n");
    expect_error(ExitCode::bad_data, "does not end with a seal", [&] { read_result_file(file); });
    expect_error(ExitCode::bad_data, "does not end with a seal", [&] { read_seal(file); });
    overwrite(file, "{\"seal\":{}}\n");
    expect_error(ExitCode::bad_data, "does not end with a seal", [&] { read_seal(file); });
    overwrite(file, std::string(100'000, 'x') + "\n");
    expect_error(ExitCode::bad_data, "too long for a seal", [&] { read_seal(file); });
    overwrite(file, "");
    expect_error(ExitCode::bad_data, "cut off", [&] { read_seal(file); });
}

TEST_F(ResultFileTest, links_and_folders_are_not_read) {
    const std::string file = publish_two();
    const std::string link = path("results/link");
    fs::create_symlink(file, link);
    for (const std::string& other : {link, path("results")}) {
        expect_error(ExitCode::permission, other, [&] { read_result_file(other); });
        expect_error(ExitCode::permission, other, [&] { read_seal(other); });
    }
    expect_error(ExitCode::no_input, "none", [&] { read_result_file(path("results/none")); });
}

TEST_F(ResultFileTest, names_that_would_leave_the_folder_are_never_written) {
    for (const std::string part : {"", "../x", "a.b", "a/b"}) {
        ResultName name = name_;
        name.part = part;
        expect_error(ExitCode::internal, "no name of a result file",
                     [&] { publish_results(root_, name, results_); });
    }
    name_.token.holder.reset();
    expect_error(ExitCode::internal, "no name of a result file",
                 [&] { publish_results(root_, name_, results_); });
    EXPECT_TRUE(names_in(path("results")).empty());
}

TEST_F(ResultFileTest, nothing_is_left_when_it_cannot_be_published) {
    fs::remove(path("results"));
    expect_error(ExitCode::no_input, "results", [&] { publish_two(); });
    EXPECT_TRUE(names_in(path("tmp")).empty());
}

}  // namespace
}  // namespace sluice::queue
