#include "core/task_threads.hpp"

#include <algorithm>
#include <thread>
#include <vector>

namespace sluice {

void TaskThreads::run(std::int64_t num_threads, const std::function<void()>& work) {
    const auto guarded = [&]() noexcept {
        try {
            work();
        } catch (...) {
            fail(std::current_exception());
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::int64_t i = 1; i < std::min(num_threads, num_tasks_); ++i)
            threads.emplace_back(guarded);
        guarded();
    }
    if (failure_) std::rethrow_exception(failure_);
}

std::optional<std::int64_t> TaskThreads::next() {
    if (failed_) return std::nullopt;
    const std::int64_t task = next_++;
    if (task >= num_tasks_) return std::nullopt;
    return task;
}

void TaskThreads::fail(const std::exception_ptr& failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
    failed_ = true;
}

}  // namespace sluice
