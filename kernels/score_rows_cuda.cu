#include "core/error.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/cuda/filter_work.hpp"
#include "kernels/cuda/row_stream.hpp"
#include "kernels/score_rows_cuda.hpp"
#include "kernels/score_staging.hpp"
#include "kernels/scores/list.hpp"
#include "kernels/team_block.hpp"

#include <algorithm>
#include <memory>

namespace sluice::kernels {

namespace {

constexpr int max_threads = 128;
constexpr std::int64_t warp_size = 32;

// What every device has without opting in.
constexpr std::int64_t shared_bytes = 48 << 10;

// Rows of which fewer can be staged at a time are given a team of threads each.
constexpr int fewest_staged_rows = 64;
constexpr int team_threads = 128;

// Rows too long for shared memory: threads that work on them at a time, and their memory.
constexpr std::int64_t unstaged_threads = 64;
constexpr std::int64_t most_unstaged_blocks = 264;
constexpr std::int64_t most_unstaged_floats = 1 << 25;

// Of rows sent to the device at a time: two such blocks are on their way.
constexpr std::int64_t block_floats = 1 << 21;

/// Floats of a row's tile: its values and its scratch.
__host__ __device__ std::int64_t row_floats(const ScoreBlock& block) {
    return block.members * block.classes +
           scratch_elements(block.input, block.members, block.classes);
}

/// Copies `count` rows for a thread each into a tile.
template <class Stored>
__device__ void stage(const Stored* rows, std::int64_t elements, std::int64_t count, float* tile) {
    stage_rows(StagedRows<Stored>{rows, static_cast<std::uint32_t>(count * elements),
                                  static_cast<std::uint32_t>(elements), blockDim.x + 1},
               threadIdx.x, blockDim.x, tile);
}

/// One row to a thread. The thread block copies its rows, which lie side by side in memory, into
/// shared memory, element by element across rows; the odd stride keeps the functor's reads free of
/// bank conflicts.
template <class Score, ScoreInput input>
__global__ void score_staged(ScoreBlock block, std::int64_t num_rows, float* scores) {
    extern __shared__ float tile[];
    const std::int64_t elements = block.members * block.classes;
    const std::int64_t stride = blockDim.x + 1;
    const std::int64_t first = std::int64_t{blockIdx.x} * blockDim.x;
    const std::int64_t here = num_rows - first < blockDim.x ? num_rows - first : blockDim.x;
    if (block.halves == nullptr)
        stage(block.values + first * elements, elements, here, tile);
    else
        stage(block.halves + first * elements, elements, here, tile);
    __syncthreads();
    if (threadIdx.x >= here) return;
    const RowView<float> view{tile + threadIdx.x, stride, block.members, block.classes};
    scores[first + threadIdx.x] = score_of<input>(Score(), view);
}

/// One row to a thread block.
template <class Score, ScoreInput input>
__global__ void __launch_bounds__(team_threads) score_by_team(ScoreBlock block, float* scores) {
    extern __shared__ float tile[];
    DeviceBlock<TeamThread, team_threads> team;
    const std::int64_t elements = block.members * block.classes;
    const std::int64_t first = blockIdx.x * elements;
    if (block.halves == nullptr)
        stage_values(block.values + first, elements, threadIdx.x, team_threads, tile);
    else
        stage_values(block.halves + first, elements, threadIdx.x, team_threads, tile);
    __syncthreads();
    team_score<Score, input>(team, TeamRow::in(tile, block), scores[blockIdx.x]);
}

/// One row after the other to a thread, for rows too long for shared memory: each thread works in
/// a tile of its own in global memory, again element by element across threads.
template <class Score, ScoreInput input>
__global__ void score_unstaged(ScoreBlock block, std::int64_t num_rows, float* tile,
                               float* scores) {
    const std::int64_t elements = block.members * block.classes;
    const std::int64_t num_threads = std::int64_t{gridDim.x} * blockDim.x;
    const std::int64_t thread = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    const RowView<float> view{tile + thread, num_threads, block.members, block.classes};
    for (std::int64_t row = thread; row < num_rows; row += num_threads) {
        for (std::int64_t e = 0; e < elements; ++e)
            view.values[e * num_threads] = block.halves == nullptr
                                               ? block.values[row * elements + e]
                                               : widened(block.halves[row * elements + e]);
        scores[row] = score_of<input>(Score(), view);
    }
}

/// Rows that a thread block stages at a time; 0 if not even a warp's fit.
int staged_rows(const ScoreBlock& block) {
    for (std::int64_t rows = max_threads; rows >= warp_size; rows /= 2)
        if (row_floats(block) * (rows + 1) * std::int64_t{sizeof(float)} <= shared_bytes)
            return static_cast<int>(rows);
    return 0;
}

/// Thread blocks for rows that cannot be staged.
std::int64_t unstaged_blocks(const ScoreBlock& block, std::int64_t num_rows) {
    const std::int64_t fitting = most_unstaged_floats / (row_floats(block) * unstaged_threads);
    const std::int64_t wanted = (num_rows + unstaged_threads - 1) / unstaged_threads;
    return std::max<std::int64_t>(1, std::min({fitting, wanted, most_unstaged_blocks}));
}

/// Shared memory that a thread block can have if it asks for it.
std::int64_t most_shared_bytes() {
    int device = 0;
    int bytes = 0;
    cuda::check(cudaGetDevice(&device));
    cuda::check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
    return bytes;
}

/// False where a row does not fit.
template <class Score, ScoreInput input>
bool try_launch_teams(const ScoreBlock& on_device, const ScoreTarget& target) {
    if constexpr (has_team<Score, input>) {
        const std::int64_t bytes =
            TeamRow::floats(on_device, team_threads) * std::int64_t{sizeof(float)};
        if (bytes > most_shared_bytes()) return false;
        const auto kernel = score_by_team<Score, input>;
        cuda::check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                         static_cast<int>(bytes)));
        kernel<<<static_cast<unsigned>(on_device.rows.size()), team_threads,
                 static_cast<std::size_t>(bytes), target.stream.get()>>>(on_device, target.scores);
        cuda::check(cudaGetLastError());
        return true;
    }
    return false;
}

template <class Score, ScoreInput input>
void launch(const ScoreBlock& on_device, const ScoreTarget& target) {
    const std::int64_t num_rows = on_device.rows.size();
    const int staged = staged_rows(on_device);
    if (staged < fewest_staged_rows && try_launch_teams<Score, input>(on_device, target)) return;
    if (staged > 0) {
        const auto blocks = static_cast<unsigned>((num_rows + staged - 1) / staged);
        const auto bytes =
            static_cast<std::size_t>(row_floats(on_device) * (staged + 1)) * sizeof(float);
        score_staged<Score, input>
            <<<blocks, staged, bytes, target.stream.get()>>>(on_device, num_rows, target.scores);
    } else {
        const auto blocks = static_cast<unsigned>(unstaged_blocks(on_device, num_rows));
        score_unstaged<Score, input><<<blocks, unstaged_threads, 0, target.stream.get()>>>(
            on_device, num_rows, target.tile, target.scores);
    }
    cuda::check(cudaGetLastError());
}

template <class Score, std::size_t which = 0>
void launch_for_input(const ScoreBlock& on_device, const ScoreTarget& target) {
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
                      const ScoreTarget& target) {
    std::size_t position = 0;
    ((position++ == index ? launch_for_input<Listed>(on_device, target) : void()), ...);
}

/// Scores a block whose rows come as they are.
class ScoreWork {
  public:
    ScoreWork(std::size_t index, const ScoreBlock& block) : index_(index), block_(block) {}

    std::int64_t floats_of_row() const { return staged_rows(block_) > 0 ? 0 : row_floats(block_); }
    bool try_reserve(cuda::RowSlot& slot, std::int64_t num_rows) const {
        return slot.tile.try_reserve(score_tile_floats(block_, num_rows));
    }
    void queue(cuda::RowSlot& slot, std::int64_t num_rows) const {
        ScoreBlock on_device = block_;
        on_device.values = slot.values.data();
        on_device.halves = block_.halves == nullptr ? nullptr : slot.halves.data();
        on_device.rows = {0, num_rows};
        score_on_device(index_, on_device, {slot.results.data(), slot.tile.data(), slot.stream});
    }

  private:
    std::size_t index_;
    ScoreBlock block_;
};

class CudaScorer : public FilteringScorer {
  public:
    explicit CudaScorer(std::size_t index) : index_(index) {}

    void score(const ScoreBlock& block, std::span<float> scores) const override {
        const ScoreWork work(index_, block);
        run(block, scores.data(), work);
    }
    void score_passing(const ScoreBlock& block, const RowFilter& filter,
                       std::vector<Candidate>& passed) const override {
        const ScoreWork work(index_, block);
        run(block, nullptr, cuda::FilterWork(work, filter, block.rows.begin, passed));
    }
    bool reads_halves() const override { return true; }

  private:
    template <class Work>
    static void run(const ScoreBlock& block, float* scores, const Work& work) {
        if (block.rows.empty()) return;
        const std::int64_t row = block.row_elements();
        const std::int64_t most_rows = std::max<std::int64_t>(max_threads, block_floats / row);
        const cuda::RowFlow flow{block.values, row, scores, 1, most_rows, block.halves};
        cuda::RowStream(flow, work, cuda::row_slots()).run(block.rows.size());
    }

    std::size_t index_;
};

}  // namespace

std::int64_t score_tile_floats(const ScoreBlock& block, std::int64_t num_rows) {
    if (staged_rows(block) > 0) return 0;
    return unstaged_blocks(block, num_rows) * unstaged_threads * row_floats(block);
}

void score_on_device(std::size_t index, const ScoreBlock& block, const ScoreTarget& target) {
    launch_for_score(Scores(), index, block, target);
}

std::unique_ptr<Scorer> make_scorer_cuda(std::size_t index) {
    return std::make_unique<CudaScorer>(index);
}

}  // namespace sluice::kernels
