#include "core/directory.hpp"

#include "core/durable_file.hpp"
#include "core/trouble.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ListDirectory, gives_sorted_names_and_none_where_there_is_no_directory) {
    const test::TemporaryDirectory directory;
    for (const char* name : {"b", ".hidden", "a"})
        create_text_file(directory.file(name), "");
    EXPECT_THAT(list_directory(directory.path()), ElementsAre(".hidden", "a", "b"));
    EXPECT_THAT(list_directory(directory.file("none")), IsEmpty());
    test::expect_error(ExitCode::no_input, directory.file("a") + ": cannot list",
                       [&] { list_directory(directory.file("a")); });
}

TEST(ClearAway, removes_files_and_trees_but_nothing_that_links_lead_to) {
    const test::TemporaryDirectory directory;
    const std::string precious = directory.file("precious");
    make_directories(precious);
    create_text_file(precious + "/file", "kept");
    const std::string tree = directory.file("tree");
    make_directories(tree + "/deep/deeper");
    create_text_file(tree + "/deep/file", "");
    std::filesystem::create_directory_symlink(precious, tree + "/deep/link");
    std::filesystem::create_directory_symlink(precious, directory.file("link"));
    clear_away(tree);
    clear_away(directory.file("link"));
    clear_away(directory.file("gone"));
    EXPECT_THAT(list_directory(directory.path()), ElementsAre("precious"));
    EXPECT_EQ(read_text_file(precious + "/file"), "kept");
    EXPECT_NO_THROW(fail_on_trouble());
}

TEST(ClearAway, opens_folders_that_their_owner_has_closed) {
    const test::TemporaryDirectory directory;
    const std::string tree = directory.file("tree");
    make_directories(tree + "/closed");
    create_text_file(tree + "/closed/file", "");
    ASSERT_EQ(::chmod((tree + "/closed").c_str(), 0), 0);
    ASSERT_EQ(::chmod(tree.c_str(), 0500), 0);
    clear_away(tree);
    EXPECT_THAT(list_directory(directory.path()), IsEmpty());
    EXPECT_NO_THROW(fail_on_trouble());
}

TEST(ClearAway, notes_what_it_cannot_remove) {
    clear_away("/proc/self/status");
    const auto trouble = take_trouble();
    ASSERT_TRUE(trouble.has_value());
    EXPECT_THAT(trouble->what(), ::testing::StartsWith("/proc/self/status: cannot remove: "));
}

}  // namespace
}  // namespace sluice
