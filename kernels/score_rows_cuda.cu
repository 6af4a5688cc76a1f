#include "core/error.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/score_rows_cuda.hpp"
#include "kernels/scores/list.hpp"

#include <algorithm>
#include <memory>

namespace sluice::kernels {

namespace {

constexpr int max_threads = 128;
constexpr std::int64_t warp_size = 32;

// What every device has without opting in.
constexpr std::int64_t shared_bytes = 48 << 10;

/// Floats of a row's tile: its values and its scratch.
__host__ __device__ std::int64_t row_floats(const ScoreBlock& block) {
    return block.members * block.classes +
           scratch_elements(block.input, block.members, block.classes);
}

/// One row to a thread. The thread block copies its rows, which lie side by side in memory, into
/// shared memory, element by element across rows; the odd stride keeps both the copy and the
/// functor's reads free of bank conflicts.
template <class Score, ScoreInput input>
__global__ void score_staged(ScoreBlock block, std::int64_t num_rows, float* scores) {
    extern __shared__ float tile[];
    const std::int64_t elements = block.members * block.classes;
    const std::int64_t stride = blockDim.x + 1;
    const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x;
    const std::int64_t here = num_rows - first < blockDim.x ? num_rows - first : blockDim.x;
    const float* values = block.values + first * elements;
    for (std::int64_t i = threadIdx.x; i < here * elements; i += blockDim.x)
        tile[(i % elements) * stride + i / elements] = values[i];
    __syncthreads();
    if (threadIdx.x >= here) return;
    const RowView<float> view{tile + threadIdx.x, stride, block.members, block.classes};
    scores[first + threadIdx.x] = score_of<input>(Score(), view);
}

/// One row to a thread, for rows too long for shared memory: each works in its own copy in global
/// memory, again element by element across rows.
template <class Score, ScoreInput input>
__global__ void score_unstaged(ScoreBlock block, std::int64_t num_rows, float* tile,
                               float* scores) {
    const std::int64_t elements = block.members * block.classes;
    const std::int64_t row = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    if (row >= num_rows) return;
    const RowView<float> view{tile + row, num_rows, block.members, block.classes};
    for (std::int64_t e = 0; e < elements; ++e)
        tile[e * num_rows + row] = block.values[row * elements + e];
    scores[row] = score_of<input>(Score(), view);
}

/// Device memory of one calling thread, kept from block to block.
struct Workspace {
    cuda::Stream stream;
    cuda::DeviceBuffer values;
    cuda::DeviceBuffer tile;
    cuda::DeviceBuffer scores;
};

Workspace& workspace() {
    thread_local Workspace own;
    return own;
}

/// Where the scores of a block go, and on which stream.
struct Target {
    float* scores;
    const cuda::Stream& stream;
};

/// Rows that a thread block stages at a time; 0 if not even a warp's fit.
int staged_rows(const ScoreBlock& block) {
    for (std::int64_t rows = max_threads; rows >= warp_size; rows /= 2)
        if (row_floats(block) * (rows + 1) * std::int64_t{sizeof(float)} <= shared_bytes)
            return static_cast<int>(rows);
    return 0;
}

template <class Score, ScoreInput input>
void launch(const ScoreBlock& on_device, const Target& target) {
    const std::int64_t num_rows = on_device.rows.size();
    const int staged = staged_rows(on_device);
    const int threads = staged > 0 ? staged : max_threads;
    const auto blocks = static_cast<unsigned>((num_rows + threads - 1) / threads);
    if (staged > 0) {
        const auto bytes =
            static_cast<std::size_t>(row_floats(on_device) * (threads + 1)) * sizeof(float);
        score_staged<Score, input>
            <<<blocks, threads, bytes, target.stream.get()>>>(on_device, num_rows, target.scores);
    } else {
        cuda::DeviceBuffer& tile = workspace().tile;
        tile.reserve(row_floats(on_device) * num_rows);
        score_unstaged<Score, input><<<blocks, threads, 0, target.stream.get()>>>(
            on_device, num_rows, tile.data(), target.scores);
    }
    cuda::check(cudaGetLastError());
}

template <class Score, std::size_t which = 0>
void launch_for_input(const ScoreBlock& on_device, const Target& target) {
    if constexpr (which < Score::inputs.size()) {
        if (Score::inputs[which] == on_device.input)
            launch<Score, Score::inputs[which]>(on_device, target);
        else
            launch_for_input<Score, which + 1>(on_device, target);
    } else {
        throw Error(ExitCode::internal, "score of an input it cannot read");
    }
}

template <class... Listed>
void launch_for_score(ScoreList<Listed...>, std::size_t index, const ScoreBlock& on_device,
                      const Target& target) {
    std::size_t position = 0;
    ((position++ == index ? launch_for_input<Listed>(on_device, target) : void()), ...);
}

class CudaScorer : public Scorer {
  public:
    explicit CudaScorer(std::size_t index) : index_(index) {}

    void score(const ScoreBlock& block, std::span<float> scores) const override {
        if (block.rows.empty()) return;
        Workspace& work = workspace();
        const std::int64_t count = block.rows.size() * block.row_elements();
        work.values.reserve(count);
        work.scores.reserve(block.rows.size());
        work.values.upload(block.values, count, work.stream);
        ScoreBlock on_device = block;
        on_device.values = work.values.data();
        score_on_device(index_, on_device, work.scores.data(), work.stream);
        work.scores.download(scores.data(), block.rows.size(), work.stream);
        work.stream.synchronize();
    }

  private:
    std::size_t index_;
};

}  // namespace

void score_on_device(std::size_t index, const ScoreBlock& block, float* scores,
                     const cuda::Stream& stream) {
    launch_for_score(Scores(), index, block, {scores, stream});
}

std::unique_ptr<Scorer> make_scorer_cuda(std::size_t index) {
    return std::make_unique<CudaScorer>(index);
}

}  // namespace sluice::kernels
