#include "core/path_status.hpp"

#include "core/durable_file.hpp"
#include "tests/support/expect_error.hpp"
#include "tests/support/temporary_directory.hpp"

#include <filesystem>
#include <string>

namespace sluice {
namespace {

TEST(PathStatus, says_what_stands_there_or_that_nothing_does) {
    const test::TemporaryDirectory directory;
    const std::string file = directory.file("file");
    create_text_file(file, "text");
    std::filesystem::create_symlink("file", directory.file("link"));
    std::filesystem::create_symlink("none", directory.file("dangling"));
    EXPECT_EQ(path_status(file, Links::keep)->st_size, 4);
    EXPECT_TRUE(S_ISLNK(path_status(directory.file("link"), Links::keep)->st_mode));
    EXPECT_TRUE(S_ISREG(path_status(directory.file("link"), Links::follow)->st_mode));
    EXPECT_TRUE(path_status(directory.file("dangling"), Links::keep));
    EXPECT_FALSE(path_status(directory.file("dangling"), Links::follow));
    EXPECT_FALSE(path_status(directory.file("none"), Links::keep));
    EXPECT_FALSE(path_status(file + "/below", Links::follow));
    EXPECT_TRUE(is_directory(directory.path()));
    EXPECT_FALSE(is_directory(file));
    EXPECT_FALSE(is_directory(directory.file("none")));
}

TEST(PathStatus, takes_no_failed_look_for_an_absence) {
    const test::TemporaryDirectory directory;
    const std::string loop = directory.file("loop");
    std::filesystem::create_symlink("loop", loop);
    test::expect_error(ExitCode::io_error, loop + ": cannot examine: Too many levels",
                       [&] { path_status(loop, Links::follow); });
    test::expect_error(ExitCode::io_error, "cannot examine: File name too long",
                       [&] { is_directory(directory.file(std::string(300, 'x'))); });
}

}  // namespace
}  // namespace sluice
