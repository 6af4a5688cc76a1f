#include "kernels/cuda/device.hpp"
#include "kernels/top_rows.hpp"
#include "kernels/top_rows_cuda.hpp"

#include <cuda_runtime.h>

#include <algorithm>

namespace sluice::kernels {
namespace {

template <class Step>
__global__ void __launch_bounds__(Step::threads) step_kernel(Step step) {
    __shared__ typename Step::Shared shared;
    DeviceBlock<typename Step::Thread, Step::threads> block;
    step(block, shared, blockIdx.x);
}

// Steps on a stream.
class StreamLauncher {
  public:
    StreamLauncher(const cuda::Stream& stream, cuda::PinnedArray<TopState>& staged)
        : stream_(stream), staged_(staged) {}

    template <class Step>
    void run(const Step& step, std::int64_t num_blocks) {
        step_kernel<<<static_cast<unsigned>(num_blocks), Step::threads, 0, stream_.get()>>>(step);
        cuda::check(cudaGetLastError());
    }
    TopState read(const TopState* state) {
        cuda::detail::copy_out(staged_.data(), state, sizeof *state, stream_);
        stream_.synchronize();
        return *staged_.data();
    }

  private:
    const cuda::Stream& stream_;
    cuda::PinnedArray<TopState>& staged_;
};

}  // namespace

void queue_passing(const float* scores, std::int64_t rows, std::uint64_t limit, PassedRows& memory,
                   const cuda::Stream& stream) {
    StreamLauncher launcher(stream, memory.staged_state);
    queue_filter(launcher,
                 FilterStep{Scores32{scores, rows}, rows, limit, Bound::limit, NoScore::passes,
                            memory.passed.data(), rows, memory.state.data()});
    memory.state.download(memory.staged_state.data(), 1, stream);
}

std::span<const ScoredPlace> receive_passing(std::int64_t most, PassedRows& memory,
                                             const cuda::Stream& stream) {
    stream.synchronize();
    TopState state = *memory.staged_state.data();
    const cuda::DeviceArray<ScoredPlace>* from = &memory.passed;
    if (most > 0 && state.passed - state.no_score > most) {
        StreamLauncher launcher(stream, memory.staged_state);
        queue_cut(launcher, Places{memory.passed.data()}, state.passed, most, memory.best.data(),
                  memory.state.data());
        state = launcher.read(memory.state.data());
        from = &memory.best;
    }
    from->download(memory.staged.data(), state.passed, stream);
    stream.synchronize();
    const std::span<ScoredPlace> result(memory.staged.data(), state.passed);
    std::sort(result.begin(), result.end(),
              [](const ScoredPlace& a, const ScoredPlace& b) { return a.place < b.place; });
    return result;
}

DeviceTopRows::DeviceTopRows(std::int64_t wanted, std::int64_t count)
    : wanted_(std::min(wanted, count)),
      count_(count),
      sample_(top_rows_detail::num_sampled),
      passed_(TopMemory::passed_room(wanted_, count)),
      best_(wanted_),
      state_(1),
      staged_(1) {}

std::int64_t DeviceTopRows::find(const float* scores, const cuda::Stream& stream) {
    StreamLauncher launcher(stream, staged_);
    return best_places(launcher, Scores32{scores, count_}, wanted_,
                       {sample_.data(), passed_.data(), best_.data(), state_.data()});
}

std::vector<Candidate> DeviceTopRows::take(std::int64_t found, const cuda::Stream& stream) const {
    std::vector<ScoredPlace> places(static_cast<std::size_t>(found));
    best_.download(places.data(), found, stream);
    stream.synchronize();
    std::vector<Candidate> result;
    for (const ScoredPlace& scored : places)
        result.push_back({scored.score, scored.place});
    std::sort(result.begin(), result.end(), better);
    return result;
}

}  // namespace sluice::kernels
