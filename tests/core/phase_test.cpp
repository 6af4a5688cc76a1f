#include "core/phase.hpp"

#include <gtest/gtest.h>

#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace sluice {
namespace {

// Sets SLUICE_FAULT for one scope.
class Fault {
  public:
    explicit Fault(const char* spec) { ::setenv("SLUICE_FAULT", spec, 1); }
    ~Fault() { ::unsetenv("SLUICE_FAULT"); }
    Fault(const Fault&) = delete;
    Fault& operator=(const Fault&) = delete;
};

double seconds_of(const std::string& name) {
    const auto all = phase_seconds();
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    return found == all.end() ? -1.0 : found->second;
}

TEST(Phase, books_time_to_the_phase_it_passed_in) {
    enter_phase("slow phase");
    const timespec pause{0, 20'000'000};
    ::nanosleep(&pause, nullptr);
    enter_phase("quick phase");
    EXPECT_EQ(current_phase(), "quick phase");
    EXPECT_GE(seconds_of("slow phase"), 0.02);
    EXPECT_LT(seconds_of("quick phase"), seconds_of("slow phase"));
    EXPECT_EQ(seconds_of("never entered"), -1.0);
}

TEST(Phase, adds_up_the_times_of_a_phase_entered_again) {
    enter_phase("again");
    enter_phase("between");
    enter_phase("again");
    enter_phase("end");
    const auto all = phase_seconds();
    EXPECT_EQ(std::count_if(all.begin(), all.end(),
                            [](const auto& entry) { return entry.first == "again"; }),
              1);
}

TEST(PhaseFault, throws_in_the_named_phase_and_rank_only) {
    const Fault fault("score:0:throw");
    EXPECT_NO_THROW(enter_phase("scores"));
    EXPECT_THROW(enter_phase("score"), std::runtime_error);
    set_phase_rank(1);
    EXPECT_NO_THROW(enter_phase("score"));
    set_phase_rank(0);
}

TEST(PhaseFaultDeathTest, exits_or_dies_as_asked) {
    EXPECT_EXIT(
        {
            const Fault fault("publish:0:exit");
            enter_phase("publish");
        },
        ::testing::ExitedWithCode(3), "");
    EXPECT_EXIT(
        {
            const Fault fault("publish:0:kill");
            enter_phase("publish");
        },
        ::testing::KilledBySignal(SIGKILL), "");
}

}  // namespace
}  // namespace sluice
