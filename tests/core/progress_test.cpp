#include "core/progress.hpp"

#include "core/log.hpp"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

TEST(Progress, says_nothing_about_what_is_quick) {
    ::testing::internal::CaptureStderr();
    {
        Progress progress("score", 1000, "rows", 4.0);
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i) {
            threads.emplace_back([&] {
                for (int j = 0; j < 250; ++j)
                    progress.advance(1);
            });
        }
        for (std::thread& thread : threads)
            thread.join();
    }
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, accepts_a_total_of_nothing) {
    Progress progress("score", 0, "rows");
    EXPECT_NO_THROW(progress.advance(0));
}

}  // namespace
}  // namespace sluice
