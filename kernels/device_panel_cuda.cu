#include "core/error.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/cuda/thread_grid.hpp"
#include "kernels/device_panel.hpp"
#include "kernels/panel_block.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sluice::kernels {
namespace {

using PanelBlock = DeviceBlock<PanelThread, panel_threads>;

__global__ void __launch_bounds__(panel_threads, 1) panel_kernel(PanelTask task) {
    extern __shared__ std::uint64_t memory[];
    DeviceGrid<PanelBlock, PanelShared> grid(PanelShared::in(memory, task.shape, task.dim));
    panel_greedy_grid(grid, task);
}

std::int64_t attribute(cudaDeviceAttr which) {
    int device = 0;
    int value = 0;
    cuda::check(cudaGetDevice(&device));
    cuda::check(cudaDeviceGetAttribute(&value, which, device));
    return value;
}

PanelLimits limits_of_device() {
    if (attribute(cudaDevAttrCooperativeLaunch) == 0) return {};
    return {attribute(cudaDevAttrMultiProcessorCount),
            attribute(cudaDevAttrMaxSharedMemoryPerBlockOptin)};
}

// Whether all blocks run at the same time, as those that wait for each other must.
bool run_together(const PanelShape& shape, std::int64_t shared_bytes, const PanelLimits& limits) {
    int blocks = 0;
    cuda::check(cudaFuncSetAttribute(panel_kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(shared_bytes)));
    cuda::check(cudaOccupancyMaxActiveBlocksPerMultiprocessor(
        &blocks, panel_kernel, panel_threads, static_cast<std::size_t>(shared_bytes)));
    return shape.num_blocks <= blocks * limits.most_blocks;
}

// The memory of one thread's panels, kept from round to round.
class PanelRunner {
  public:
    std::optional<std::vector<PanelPick>> run(const PanelView& panel, const Candidate& outside,
                                              std::int64_t most_picks) {
        const std::int64_t count = panel.rows.rows;
        const std::int64_t dim = panel.rows.dim;
        const PanelLimits limits = limits_of_device();
        const PanelShape shape = panel_shape(count, dim, limits);
        const std::int64_t shared_bytes = PanelShared::bytes(shape, dim);
        if (shape.num_blocks == 0 || !run_together(shape, shared_bytes, limits)) return {};
        send(panel, shape, most_picks);
        PanelTask task{rows_.data(),   numbers_.data(), count,         dim,
                       shape,          outside,         most_picks,    distance_.data(),
                       center_.data(), best_.data(),    picks_.data(), num_picks_.data()};
        void* arguments[] = {&task};
        cuda::check(cudaLaunchCooperativeKernel(
            panel_kernel, dim3(static_cast<unsigned>(shape.num_blocks)), dim3(panel_threads),
            arguments, static_cast<std::size_t>(shared_bytes), stream_.get()));
        return receive(panel, most_picks);
    }

  private:
    void send(const PanelView& panel, const PanelShape& shape, std::int64_t most_picks) {
        const std::int64_t count = panel.rows.rows;
        rows_.reserve(count * panel.rows.dim);
        numbers_.reserve(count);
        distance_.reserve(count);
        center_.reserve(count);
        best_.reserve(2 * shape.num_blocks);
        picks_.reserve(most_picks);
        num_picks_.reserve(1);
        rows_.upload(panel.rows.data, count * panel.rows.dim, stream_);
        numbers_.upload(panel.numbers.data(), count, stream_);
        distance_.upload(panel.nearest.data(), count, stream_);
        center_.upload(panel.center.data(), count, stream_);
        num_picked_ = 0;
        num_picks_.upload(&num_picked_, 1, stream_);
    }

    std::vector<PanelPick> receive(const PanelView& panel, std::int64_t most_picks) {
        std::vector<std::uint64_t> keys(static_cast<std::size_t>(most_picks));
        picks_.download(keys.data(), most_picks, stream_);
        num_picks_.download(&num_picked_, 1, stream_);
        distance_.download(panel.nearest.data(), panel.rows.rows, stream_);
        center_.download(panel.center.data(), panel.rows.rows, stream_);
        stream_.synchronize();
        std::vector<PanelPick> picks;
        for (const std::uint64_t key : std::span(keys).first(static_cast<std::size_t>(num_picked_)))
            picks.push_back({place_of_key(key), distance_of_key(key)});
        return picks;
    }

    cuda::Stream stream_;
    cuda::DeviceBuffer rows_;
    cuda::DeviceArray<RowId> numbers_;
    cuda::DeviceBuffer distance_;
    cuda::DeviceArray<std::int32_t> center_;
    cuda::DeviceArray<std::uint64_t> best_;
    cuda::DeviceArray<std::uint64_t> picks_;
    cuda::DeviceArray<std::int64_t> num_picks_;
    std::int64_t num_picked_ = 0;
};

}  // namespace

std::optional<std::vector<PanelPick>> pick_on_device(const PanelView& panel,
                                                     const Candidate& outside,
                                                     std::int64_t num_picks) {
    num_picks = std::min(num_picks, panel.rows.rows);
    if (num_picks <= 0) return std::vector<PanelPick>();
    thread_local PanelRunner own;
    return own.run(panel, outside, num_picks);
}

}  // namespace sluice::kernels
