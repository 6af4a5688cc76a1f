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

// The exit code's bits: stops at once, tells why, knows how long is left.
void leave_with_walltime(double walltime, double grace) {
    set_walltime(walltime, grace);
    const double left = walltime_left().value_or(-1.0);
    const bool tells = stop_text() == "stopped before the walltime is over";
    std::_Exit((stop_requested() ? 1 : 0) + (tells ? 2 : 0) + (left > walltime - 5.0 ? 4 : 0));
}

void leave_with_job_end(const char* end, double walltime) {
    ::setenv("SLURM_JOB_END_TIME", end, 1);
    set_walltime(walltime, 30.0);
    std::_Exit((stop_requested() ? 1 : 0) + (walltime_left().has_value() ? 2 : 0));
}

TEST(StopDeathTest, the_walltime_less_the_grace_stops) {
    EXPECT_EXIT(leave_with_walltime(100.0, 30.0), ::testing::ExitedWithCode(6), "");
    EXPECT_EXIT(leave_with_walltime(20.0, 30.0), ::testing::ExitedWithCode(7), "");
    EXPECT_EXIT(leave_with_walltime(1e300, 30.0), ::testing::ExitedWithCode(2), "");
}

TEST(StopDeathTest, the_end_of_a_slurm_job_counts_unless_a_walltime_is_given) {
    EXPECT_EXIT(leave_with_job_end("1", 0.0), ::testing::ExitedWithCode(3), "");
    EXPECT_EXIT(leave_with_job_end("99999999999", 0.0), ::testing::ExitedWithCode(2), "");
    EXPECT_EXIT(leave_with_job_end("1", 3600.0), ::testing::ExitedWithCode(2), "");
    EXPECT_EXIT(leave_with_job_end("soon", 0.0), ::testing::ExitedWithCode(0), "");
}

TEST(StopDeathTest, the_signals_of_a_scheduler_set_the_flag_and_do_not_kill) {
    EXPECT_EXIT(leave_after(SIGTERM), ::testing::ExitedWithCode(0), "");
    EXPECT_EXIT(leave_after(SIGUSR1), ::testing::ExitedWithCode(0), "");
    EXPECT_FALSE(stop_requested());
}

}  // namespace
}  // namespace sluice
