#pragma once

#include <cstdint>
#include <functional>

namespace sluice::kernels {

/// Runs task(0), task(1), ... task(num_tasks - 1), each once, on up to `num_threads` threads of
/// this process, the calling one included; returns when all are done. Tasks are handed out in
/// rising order, one at a time. With one thread, or one task, no thread is made or woken.
/// The threads are kept for later calls; a call made while another one runs them (from a task, or
/// from another thread) runs its tasks on its own thread alone.
/// Throws what the first failing task threw, after the others have ended.
void parallel_for(int num_threads, std::int64_t num_tasks,
                  const std::function<void(std::int64_t)>& task);

}  // namespace sluice::kernels
