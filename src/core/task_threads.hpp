#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>

namespace sluice {

/// Tasks 0, 1, ... that threads draw in rising order, each thread with memory of its own.
class TaskThreads {
  public:
    explicit TaskThreads(std::int64_t num_tasks) : num_tasks_(num_tasks) {}

    /// Calls `work`, which draws tasks until there are none, on up to `num_threads` threads, the
    /// calling one included, but on no more than there are tasks. Returns when all calls have.
    /// Throws what the first one to fail threw.
    void run(std::int64_t num_threads, const std::function<void()>& work);

    /// The next task; nothing when all are drawn or a thread has failed. Any thread may call it.
    std::optional<std::int64_t> next();

    /// What a thread must do whose failure others wait for: from then on failed() holds.
    void fail(const std::exception_ptr& failure);

    bool failed() const { return failed_; }
    std::int64_t num_tasks() const { return num_tasks_; }

  private:
    std::int64_t num_tasks_;
    std::atomic<std::int64_t> next_{0};
    std::atomic<bool> failed_{false};
    std::mutex mutex_;  // guards failure_
    std::exception_ptr failure_;
};

}  // namespace sluice
