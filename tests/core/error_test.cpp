#include "core/error.hpp"

#include "tests/support/expect_error.hpp"

#include <cerrno>

namespace sluice {
namespace {

TEST(Require, throws_only_when_the_condition_fails) {
    EXPECT_NO_THROW(require(true, ExitCode::usage, "never"));
    test::expect_error(ExitCode::usage, "--batch: 0",
                       [] { require(false, ExitCode::usage, "--batch: 0"); });
}

TEST(SystemError, gives_each_errno_its_exit_code_and_a_remedy) {
    struct Case {
        int error_number;
        ExitCode code;
        const char* part;
    };
    const Case cases[] = {
        {ENOENT, ExitCode::no_input, "check the path"},
        {ENOTDIR, ExitCode::no_input, "a.h5: cannot open: Not a directory"},
        {EACCES, ExitCode::permission, "check the owner and mode"},
        {EPERM, ExitCode::permission, "check the owner and mode"},
        {EROFS, ExitCode::cannot_create, "writable file system"},
        {ENOSPC, ExitCode::io_error, "free some space"},
        {EDQUOT, ExitCode::io_error, "free some space"},
        {EIO, ExitCode::io_error, "Input/output error"},
        {EMFILE, ExitCode::io_error, "ulimit -n"},
        {ENOMEM, ExitCode::io_error, "--memory"},
    };
    for (const Case& one : cases) {
        test::expect_error(one.code, one.part,
                           [&] { throw system_error("a.h5", "cannot open", one.error_number); });
    }
}

TEST(ExitCode, has_the_numbers_of_sysexits) {
    EXPECT_EQ(static_cast<int>(ExitCode::done), 0);
    EXPECT_EQ(static_cast<int>(ExitCode::usage), 64);
    EXPECT_EQ(static_cast<int>(ExitCode::bad_data), 65);
    EXPECT_EQ(static_cast<int>(ExitCode::no_input), 66);
    EXPECT_EQ(static_cast<int>(ExitCode::unavailable), 69);
    EXPECT_EQ(static_cast<int>(ExitCode::internal), 70);
    EXPECT_EQ(static_cast<int>(ExitCode::cannot_create), 73);
    EXPECT_EQ(static_cast<int>(ExitCode::io_error), 74);
    EXPECT_EQ(static_cast<int>(ExitCode::try_again), 75);
    EXPECT_EQ(static_cast<int>(ExitCode::permission), 77);
    EXPECT_EQ(static_cast<int>(ExitCode::bad_config), 78);
}

}  // namespace
}  // namespace sluice
