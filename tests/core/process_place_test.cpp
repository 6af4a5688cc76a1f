#include "core/process_place.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <limits>

namespace sluice {
namespace {

TEST(ProcessPlace, is_eight_hex_digits_and_the_same_in_a_child) {
    EXPECT_THAT(process_place(), ::testing::MatchesRegex("[0-9a-f]{8}"));
    EXPECT_EQ(process_place(), process_place());
}

TEST(ProcessPlace, a_process_is_gone_once_it_has_been_waited_for) {
    int lifeline[2];
    ASSERT_EQ(::pipe(lifeline), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::close(lifeline[1]);
        char byte = 0;
        const ssize_t count = ::read(lifeline[0], &byte, 1);
        ::_exit(static_cast<int>(count));
    }
    EXPECT_FALSE(process_is_gone(process_place(), child));
    ::close(lifeline[1]);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(process_is_gone(process_place(), child));
    ::close(lifeline[0]);
}

TEST(ProcessMark, tells_processes_of_one_number_apart) {
    EXPECT_THAT(process_mark(), ::testing::MatchesRegex(process_place() + "[0-9a-f]{4}"));
    EXPECT_EQ(process_mark().size(), process_mark_digits);
    std::string other = process_mark();
    other.back() = other.back() == '1' ? '2' : '1';
    EXPECT_FALSE(process_is_gone(process_mark(), ::getpid()));
    EXPECT_TRUE(process_is_gone(other, ::getpid())) << "the number is in use again";
    EXPECT_FALSE(process_is_gone(process_place() + "0000", ::getpid())) << "not known";
    other[0] = other[0] == '1' ? '2' : '1';
    EXPECT_FALSE(process_is_gone(other, ::getpid())) << "elsewhere";
}

TEST(ProcessPlace, in_doubt_a_process_lives) {
    EXPECT_FALSE(process_is_gone(process_place(), ::getpid()));
    EXPECT_FALSE(process_is_gone("00000000", std::numeric_limits<int>::max()));
    EXPECT_TRUE(process_is_gone(process_place(), std::numeric_limits<int>::max()));
    for (const std::int64_t process : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1} << 40}) {
        EXPECT_FALSE(process_is_gone(process_place(), process)) << process;
    }
}

}  // namespace
}  // namespace sluice
