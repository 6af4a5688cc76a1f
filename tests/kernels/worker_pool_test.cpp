#include "kernels/worker_pool.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

namespace sluice::kernels {
namespace {

TEST(ParallelFor, runs_every_task_once) {
    for (const int num_threads : {1, 2, 5}) {
        for (const std::int64_t num_tasks : {0, 1, 2, 100}) {
            for (int repeat = 0; repeat < 50; ++repeat) {
                std::vector<int> runs(static_cast<std::size_t>(num_tasks), 0);
                parallel_for(num_threads, num_tasks,
                             [&](std::int64_t task) { ++runs[static_cast<std::size_t>(task)]; });
                EXPECT_EQ(std::accumulate(runs.begin(), runs.end(), std::int64_t{0}), num_tasks);
                for (const int count : runs)
                    EXPECT_EQ(count, 1);
            }
        }
    }
}

TEST(ParallelFor, one_thread_is_the_callers) {
    parallel_for(1, 10, [caller = std::this_thread::get_id()](std::int64_t) {
        EXPECT_EQ(std::this_thread::get_id(), caller);
    });
}

TEST(ParallelFor, hands_on_what_a_task_throws_and_works_again) {
    const auto fail = [](std::int64_t task) {
        if (task == 7) throw std::runtime_error("seven");
    };
    EXPECT_THROW(parallel_for(3, 20, fail), std::runtime_error);
    std::atomic<int> runs{0};
    parallel_for(3, 20, [&](std::int64_t) { ++runs; });
    EXPECT_EQ(runs, 20);
}

TEST(ParallelFor, calls_may_nest_and_overlap) {
    std::atomic<int> runs{0};
    const auto outer = [&] {
        parallel_for(2, 4,
                     [&](std::int64_t) { parallel_for(2, 5, [&](std::int64_t) { ++runs; }); });
    };
    std::thread other(outer);
    outer();
    other.join();
    EXPECT_EQ(runs, 40);
}

}  // namespace
}  // namespace sluice::kernels
