#include "core/trouble.hpp"

#include "core/durable_file.hpp"
#include "tests/support/expect_error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace sluice {
namespace {

TEST(Trouble, the_first_counts_and_is_taken_once) {
    note_trouble("a", "cannot close", EIO);
    note_trouble("b", "cannot remove", EACCES);
    test::expect_error(ExitCode::io_error, "a: cannot close: Input/output error", fail_on_trouble);
    EXPECT_NO_THROW(fail_on_trouble());
    EXPECT_FALSE(take_trouble().has_value());
}

TEST(Trouble, comes_of_a_file_that_cannot_be_closed) {
    {
        const FileDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC), "name");
        ASSERT_EQ(::close(file.get()), 0);
        errno = ENOENT;
    }
    EXPECT_EQ(errno, ENOENT) << "whoever looks at it means the call before";
    test::expect_error(ExitCode::io_error, "name: cannot close", fail_on_trouble);
}

TEST(Trouble, none_comes_of_a_file_that_was_moved) {
    {
        FileDescriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC), "name");
        FileDescriptor moved(std::move(file));
        file = std::move(moved);
        EXPECT_TRUE(file.valid());
        file = FileDescriptor();
        EXPECT_FALSE(file.valid());
    }
    EXPECT_NO_THROW(fail_on_trouble());
}

}  // namespace
}  // namespace sluice
