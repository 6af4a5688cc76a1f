#include "core/stop.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace sluice {
namespace {

// In a child process, because the flag stays set.
void leave_after(int signal) {
    install_stop_handler();
    const bool before = stop_requested();
    std::raise(signal);
    std::_Exit(!before && stop_requested() ? 0 : 1);
}

TEST(StopDeathTest, the_signals_of_a_scheduler_set_the_flag_and_do_not_kill) {
    EXPECT_EXIT(leave_after(SIGTERM), ::testing::ExitedWithCode(0), "");
    EXPECT_EXIT(leave_after(SIGUSR1), ::testing::ExitedWithCode(0), "");
    EXPECT_FALSE(stop_requested());
}

}  // namespace
}  // namespace sluice
