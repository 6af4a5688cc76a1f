#include "core/task_threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

TEST(TaskThreads, every_task_is_drawn_once) {
    for (const std::int64_t num_tasks : {0, 1, 2, 500}) {
        for (const std::int64_t num_threads : {1, 2, 5}) {
            std::vector<std::atomic<int>> drawn(static_cast<std::size_t>(num_tasks));
            std::atomic<int> num_calls = 0;
            TaskThreads threads(num_tasks);
            threads.run(num_threads, [&] {
                ++num_calls;
                while (const auto task = threads.next())
                    ++drawn[static_cast<std::size_t>(*task)];
            });
            for (const std::atomic<int>& count : drawn)
                EXPECT_EQ(count, 1);
            EXPECT_LE(num_calls, std::max<std::int64_t>(1, std::min(num_threads, num_tasks)));
        }
    }
}

TEST(TaskThreads, a_thread_alone_draws_in_rising_order) {
    TaskThreads threads(20);
    std::vector<std::int64_t> drawn;
    threads.run(1, [&] {
        while (const auto task = threads.next())
            drawn.push_back(*task);
    });
    ASSERT_EQ(drawn.size(), 20U);
    for (std::size_t i = 0; i < drawn.size(); ++i)
        EXPECT_EQ(drawn[i], static_cast<std::int64_t>(i));
}

TEST(TaskThreads, nobody_draws_after_a_failure_which_is_thrown) {
    TaskThreads threads(1'000'000);
    std::atomic<std::int64_t> num_drawn = 0;
    std::string message;
    try {
        threads.run(3, [&] {
            while (const auto task = threads.next()) {
                ++num_drawn;
                if (*task == 10) throw std::runtime_error("the eleventh task");
                if (*task > 10) {
                    while (!threads.failed())
                        std::this_thread::yield();
                }
            }
        });
    } catch (const std::runtime_error& error) {
        message = error.what();
    }
    EXPECT_EQ(message, "the eleventh task");
    EXPECT_LE(num_drawn, 13);
}

}  // namespace
}  // namespace sluice
