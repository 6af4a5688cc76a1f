#include "core/durable_file.hpp"

#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace sluice {
namespace {

using test::expect_error;
using test::TemporaryDirectory;

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        names.push_back(entry.path().filename());
    }
    return names;
}

TEST(PublishTextFile, replaces_the_old_content_and_leaves_nothing_else) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("a.csv");
    publish_text_file(path, "old");
    publish_text_file(path, "new content\n");
    EXPECT_EQ(read_text_file(path), "new content\n");
    EXPECT_EQ(names_in(directory.path()), std::vector<std::string>{"a.csv"});
}

TEST(PublishTextFile, keeps_the_mode_that_the_umask_gives) {
    const TemporaryDirectory directory;
    const mode_t old_mask = ::umask(0027);
    publish_text_file(directory.file("a"), "x");
    ::umask(old_mask);
    struct stat status {};
    ASSERT_EQ(::stat(directory.file("a").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0640U);
}

TEST(PublishTextFile, writes_no_text_as_an_empty_file) {
    const TemporaryDirectory directory;
    publish_text_file(directory.file("empty"), "");
    EXPECT_EQ(read_text_file(directory.file("empty")), "");
}

TEST(PublishTextFile, names_a_missing_directory_as_an_output_that_cannot_be_created) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("no/such/file.csv");
    expect_error(ExitCode::cannot_create, path, [&] { publish_text_file(path, "x"); });
}

TEST(PublishTextFile, never_replaces_a_device_or_directory) {
    const TemporaryDirectory directory;
    expect_error(ExitCode::cannot_create, "not a regular file",
                 [&] { publish_text_file(directory.path(), "x"); });
    const std::string pipe = directory.file("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    expect_error(ExitCode::cannot_create, pipe, [&] { publish_text_file(pipe, "x"); });
    EXPECT_EQ(names_in(directory.path()), std::vector<std::string>{"pipe"});
}

TEST(PublishTextFile, reports_a_full_disk_and_keeps_the_old_content) {
    const std::string path = "/dev/full";
    if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is missing";
    const FileDescriptor full(::open(path.c_str(), O_WRONLY | O_CLOEXEC), path);
    const std::string text = "x";
    expect_error(ExitCode::io_error, "No space left",
                 [&] { write_exactly(full, std::as_bytes(std::span(text)), 0, path); });
}

TEST(CreateTextFile, refuses_what_exists_and_leaves_it_alone) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("a");
    create_text_file(path, "first");
    expect_error(ExitCode::cannot_create, path, [&] { create_text_file(path, "second"); });
    EXPECT_EQ(read_text_file(path), "first");
}

TEST(CreateTextFile, does_not_follow_a_link) {
    const TemporaryDirectory directory;
    std::filesystem::create_symlink(directory.file("target"), directory.file("link"));
    expect_error(ExitCode::cannot_create, "link",
                 [&] { create_text_file(directory.file("link"), "x"); });
    EXPECT_FALSE(std::filesystem::exists(directory.file("target")));
}

TEST(OpenForReading, names_what_is_missing_or_no_file) {
    const TemporaryDirectory directory;
    const std::string missing = directory.file("missing.h5");
    expect_error(ExitCode::no_input, missing, [&] { open_for_reading(missing); });
    expect_error(ExitCode::no_input, "a directory", [&] { open_for_reading(directory.path()); });
    const std::string pipe = directory.file("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    expect_error(ExitCode::no_input, pipe, [&] { open_for_reading(pipe); });
}

TEST(ReadExactly, reads_at_an_offset_and_refuses_a_short_file) {
    const TemporaryDirectory directory;
    const std::string path = directory.file("digits");
    create_text_file(path, "0123456789");
    const FileDescriptor file = open_for_reading(path);
    std::string text(4, ' ');
    read_exactly(file, std::as_writable_bytes(std::span(text)), 3, path);
    EXPECT_EQ(text, "3456");
    expect_error(ExitCode::bad_data, path + ": ends at byte 10",
                 [&] { read_exactly(file, std::as_writable_bytes(std::span(text)), 8, path); });
}

TEST(ReadTextFile, refuses_a_file_that_is_too_large) {
    const TemporaryDirectory directory;
    create_text_file(directory.file("a"), "12345");
    EXPECT_EQ(read_text_file(directory.file("a"), 5), "12345");
    expect_error(ExitCode::bad_data, "5 bytes are more than the 4 allowed",
                 [&] { read_text_file(directory.file("a"), 4); });
}

TEST(FileDescriptor, reports_what_close_says) {
    FileDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC), "name");
    ASSERT_EQ(::close(file.get()), 0);
    expect_error(ExitCode::io_error, "name: cannot close", [&] { file.close(); });
    EXPECT_FALSE(file.valid());
}

TEST(MakeDirectories, makes_parents_and_accepts_what_exists) {
    const TemporaryDirectory directory;
    const std::string deep = directory.file("a/b//c/");
    make_directories(deep);
    make_directories(deep);
    EXPECT_TRUE(std::filesystem::is_directory(directory.file("a/b/c")));
    make_directories("");
}

TEST(MakeDirectories, names_a_file_that_is_in_the_way) {
    const TemporaryDirectory directory;
    create_text_file(directory.file("file"), "");
    expect_error(ExitCode::cannot_create, directory.file("file"),
                 [&] { make_directories(directory.file("file/below")); });
    expect_error(ExitCode::cannot_create, directory.file("file"),
                 [&] { make_directories(directory.file("file")); });
}

TEST(RenameDurably, names_both_when_the_source_is_missing) {
    const TemporaryDirectory directory;
    expect_error(ExitCode::cannot_create, "cannot rename",
                 [&] { rename_durably(directory.file("from"), directory.file("to")); });
}

TEST(SyncPath, does_not_follow_a_link) {
    const TemporaryDirectory directory;
    create_text_file(directory.file("a"), "x");
    sync_path(directory.file("a"));
    std::filesystem::create_symlink("a", directory.file("link"));
    EXPECT_THROW(sync_path(directory.file("link")), Error);
}

TEST(UniqueName, differs_on_every_call_and_has_three_parts) {
    std::set<std::string> names;
    for (int i = 0; i < 1000; ++i) {
        const std::string name = unique_name();
        EXPECT_EQ(std::count(name.begin(), name.end(), '.'), 2) << name;
        EXPECT_EQ(name.find('/'), std::string::npos) << name;
        EXPECT_TRUE(names.insert(name).second) << name;
    }
}

}  // namespace
}  // namespace sluice
