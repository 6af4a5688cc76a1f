#include "core/log.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace sluice {
namespace {

std::string stderr_of(const std::function<void()>& step) {
    ::testing::internal::CaptureStderr();
    step();
    return ::testing::internal::GetCapturedStderr();
}

class Log : public ::testing::Test {
  protected:
    void TearDown() override { set_log_rank(0, 1); }
};

TEST_F(Log, information_and_warnings_come_from_rank_0_alone) {
    EXPECT_EQ(stderr_of([] { log_info("reads 3 files"); }), "sluice: reads 3 files\n");
    EXPECT_EQ(stderr_of([] { log_warning("slow"); }), "sluice: warning: slow\n");
    set_log_rank(2, 4);
    EXPECT_FALSE(log_is_visible());
    EXPECT_EQ(stderr_of([] { log_info("x"); }), "");
    EXPECT_EQ(stderr_of([] { log_warning("x"); }), "");
}

TEST_F(Log, an_error_of_one_rank_names_it) {
    set_log_rank(2, 4);
    EXPECT_EQ(stderr_of([] { log_error("bad", ErrorScope::this_rank); }),
              "sluice: error: rank 2: bad\n");
    EXPECT_EQ(stderr_of([] { log_error("bad", ErrorScope::whole_job); }), "sluice: error: bad\n");
    set_log_rank(0, 1);
    EXPECT_EQ(stderr_of([] { log_error("bad", ErrorScope::this_rank); }), "sluice: error: bad\n");
}

TEST_F(Log, is_one_line_without_control_characters_whatever_the_message_holds) {
    EXPECT_EQ(stderr_of([] { log_info("a\nb\x1b[31m\xff"); }), "sluice: a\\x0ab\\x1b[31m\\xff\n");
}

}  // namespace
}  // namespace sluice
