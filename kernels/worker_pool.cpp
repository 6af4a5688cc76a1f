#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace sluice::kernels {
namespace {

using Task = std::function<void(std::int64_t)>;

// One call of parallel_for: the next task to hand out, and the first failure.
struct Job {
    const Task* task = nullptr;
    std::int64_t num_tasks = 0;
    std::atomic<std::int64_t> next{0};
    std::mutex failure_mutex;
    std::exception_ptr failure;

    void work() {
        for (;;) {
            const std::int64_t index = next.fetch_add(1, std::memory_order_relaxed);
            if (index >= num_tasks) return;
            try {
                (*task)(index);
            } catch (...) {
                const std::lock_guard lock(failure_mutex);
                if (!failure) failure = std::current_exception();
                next.store(num_tasks, std::memory_order_relaxed);
            }
        }
    }
};

// Threads that sleep between jobs. Calls are often short (tens of microseconds), so the threads
// are made once; `job_mutex` admits one caller at a time.
class WorkerPool {
  public:
    ~WorkerPool() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (std::thread& thread : threads_)
            thread.join();
    }

    std::mutex& job_mutex() { return job_mutex_; }

    // Requires job_mutex to be held. `num_helpers` threads work beside the caller.
    void run(Job& job, int num_helpers) {
        while (static_cast<int>(threads_.size()) < num_helpers) {
            threads_.emplace_back([this] { serve(); });
        }
        {
            const std::lock_guard lock(mutex_);
            job_ = &job;
            openings_ = num_helpers;
        }
        wake_.notify_all();
        job.work();
        std::unique_lock lock(mutex_);
        openings_ = 0;  // whoever has not come by now finds nothing left to do
        done_.wait(lock, [this] { return working_ == 0; });
        job_ = nullptr;
    }

  private:
    void serve() {
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [this] { return stopping_ || openings_ > 0; });
            if (stopping_) return;
            --openings_;
            ++working_;
            Job* const job = job_;
            lock.unlock();
            job->work();
            lock.lock();
            if (--working_ == 0) done_.notify_one();
        }
    }

    std::mutex job_mutex_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::vector<std::thread> threads_;
    Job* job_ = nullptr;
    int openings_ = 0;
    int working_ = 0;
    bool stopping_ = false;
};

WorkerPool& pool() {
    static WorkerPool instance;
    return instance;
}

}  // namespace

void parallel_for(int num_threads, std::int64_t num_tasks, const Task& task) {
    const std::int64_t wanted = std::min<std::int64_t>(num_threads, num_tasks);
    if (wanted > 1) {
        std::unique_lock turn(pool().job_mutex(), std::try_to_lock);
        if (turn.owns_lock()) {
            Job job;
            job.task = &task;
            job.num_tasks = num_tasks;
            pool().run(job, static_cast<int>(wanted) - 1);
            if (job.failure) std::rethrow_exception(job.failure);
            return;
        }
    }
    for (std::int64_t index = 0; index < num_tasks; ++index)
        task(index);
}

}  // namespace sluice::kernels
