#include "queue/layout.hpp"

#include "core/durable_file.hpp"
#include "tests/queue/queue_fixture.hpp"
#include "tests/support/expect_error.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace sluice::queue {
namespace {

namespace fs = std::filesystem;
using test::expect_error;
using test::first_id;
using test::names_in;
using test::publish_sample;
using test::QueueTest;
using test::second_id;

TEST(Layout, numbers_have_names_that_sort) {
    EXPECT_EQ(number_name(1), "000001");
    EXPECT_EQ(number_name(12345678), "12345678");
    EXPECT_EQ(number_of_name("000042"), 42);
    EXPECT_EQ(number_of_name("12345678"), 12345678);
    for (const char* name : {"", "42", "000000", "00004x", "-00004", "README", "000001.tmp"}) {
        EXPECT_EQ(number_of_name(name), 0) << name;
    }
}

TEST(Layout, plain_names_never_leave_the_directory) {
    EXPECT_TRUE(is_plain_name("node-1.42.00ff"));
    for (const char* name : {"", ".", "..", ".hidden", "a/b", "a b", "a\nb", "\xff"}) {
        EXPECT_FALSE(is_plain_name(name)) << name;
    }
    EXPECT_FALSE(is_plain_name(std::string(256, 'a')));
}

TEST_F(QueueTest, refuses_a_directory_that_cannot_be_trusted) {
    { const Queue queue(root_); }
    fs::permissions(root_, fs::perms::others_write, fs::perm_options::add);
    expect_error(ExitCode::permission, "run: chmod o-w " + root_, [&] { Queue queue(root_); });
    fs::permissions(root_, fs::perms::others_write, fs::perm_options::remove);
    fs::permissions(path("pending"), fs::perms::others_write, fs::perm_options::add);
    expect_error(ExitCode::permission, "run: chmod o-w " + path("pending"),
                 [&] { Queue queue(root_); });
    fs::permissions(path("pending"), fs::perms::others_write, fs::perm_options::remove);
    if (::geteuid() != 0) GTEST_SKIP() << "giving a directory away needs root";
    ASSERT_EQ(::chown(root_.c_str(), 65534, 65534), 0);
    expect_error(ExitCode::permission, "belongs to user 65534", [&] { Queue queue(root_); });
}

TEST_F(QueueTest, follows_no_link_inside) {
    { const Queue queue(root_); }
    fs::remove(path("tmp"));
    fs::create_directory_symlink(directory_.path(), path("tmp"));
    expect_error(ExitCode::permission, path("tmp"), [&] { Queue queue(root_); });
    fs::remove(path("tmp"));
    fs::create_symlink("/etc/hostname", path("order/000001"));
    Queue queue(root_);
    expect_error(ExitCode::permission, path("order/000001"), [&] { queue.issued_rows(); });
}

TEST_F(QueueTest, is_made_unwritable_for_others_whatever_the_umask) {
    const mode_t old_mask = ::umask(0);
    Queue queue(root_);
    publish_sample(queue, first_id);
    ::umask(old_mask);
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
        if (!entry.is_directory()) continue;
        EXPECT_EQ(entry.status().permissions() & fs::perms::others_write, fs::perms::none)
            << entry.path();
    }
}

TEST_F(QueueTest, takes_no_directory_that_holds_other_things) {
    fs::create_directory(root_);
    std::ofstream(path("thesis.tex")) << "x";
    expect_error(ExitCode::cannot_create, "thesis.tex", [&] { Queue queue(root_); });
    EXPECT_THAT(names_in(root_), ::testing::ElementsAre("thesis.tex"));
    expect_error(ExitCode::cannot_create, path("thesis.tex"),
                 [&] { Queue queue(path("thesis.tex/queue")); });
}

TEST_F(QueueTest, ignores_unknown_files_and_refuses_other_versions) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    std::ofstream(path("notes.txt")) << "x";
    std::ofstream(path("order/README")) << "x";
    std::ofstream(path("tmp/somebody.1.2.3")) << "x";
    EXPECT_EQ(Queue(root_).num_issued(), 1);
    EXPECT_TRUE(queue.find_batch(first_id).has_value());
    EXPECT_TRUE(fs::exists(path("tmp/somebody.1.2.3")));
    publish_text_file(path("queue.json"), "{\"format\":\"sluice-queue\",\"format_version\":2}");
    expect_error(ExitCode::bad_data, "format_version 2", [&] { Queue other(root_); });
    publish_text_file(path("queue.json"), "{\"format\":");
    expect_error(ExitCode::bad_data, "not the format file", [&] { Queue other(root_); });
}

TEST_F(QueueTest, notices_damage_rather_than_issuing_rows_twice) {
    Queue queue(root_);
    publish_sample(queue, first_id);
    publish_sample(queue, second_id);
    const std::string csv = read_text_file(batch_path("selected.csv"));
    publish_text_file(batch_path("selected.csv"), csv.substr(0, csv.size() / 2));
    expect_error(ExitCode::bad_data, "does not match its manifest", [&] { queue.issued_rows(); });
    publish_text_file(batch_path("selected.csv"), csv);
    EXPECT_EQ(queue.issued_rows().size(), 6U);
    fs::rename(path("order/000001"), directory_.file("kept"));
    expect_error(ExitCode::bad_data, "1 entries but the last is number 2",
                 [&] { queue.num_issued(); });
    fs::rename(directory_.file("kept"), path("order/000001"));
    fs::remove_all(batch_path(""));
    expect_error(ExitCode::no_input, first_id, [&] { queue.issued_rows(); });
    expect_error(ExitCode::bad_data, "has been issued", [&] { queue.find_batch(first_id); });
}

TEST_F(QueueTest, requiring_a_queue_creates_nothing) {
    expect_error(ExitCode::no_input, "queue.json: missing", [&] { require_queue(root_); });
    EXPECT_FALSE(fs::exists(root_));
    { const Queue queue(root_); }
    require_queue(root_);
    publish_text_file(path("queue.json"), "{\"format\":\"sluice-queue\",\"format_version\":2}\n");
    expect_error(ExitCode::bad_data, "format_version 2", [&] { require_queue(root_); });
}

}  // namespace
}  // namespace sluice::queue
