#include "core/error.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/device_rows.hpp"
#include "kernels/nearest_center_cpu.hpp"
#include "kernels/relax_block.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace sluice::kernels {
namespace {

constexpr std::int64_t most_picks = 1 << 18;                        // sent at a time
constexpr std::int64_t staged_floats = (64 << 20) / sizeof(float);  // of rows sent at a time
constexpr std::int64_t row_share = 5;  // rows stay in at most 4/5 of the memory that is free

__global__ void __launch_bounds__(relax_threads) relax_kernel(RelaxTask task) {
    __shared__ RelaxShared shared;
    DeviceBlock<RelaxThread, relax_threads> block;
    relax_block(block, shared, task, blockIdx.x);
}

// Some picked rows on their way: whoever holds a slot waits for its stream before using it again.
struct Slot {
    cuda::Stream stream;
    cuda::DeviceBuffer rows;  // of those that are not on the device
    cuda::DeviceArray<std::int64_t> picked;
    cuda::DeviceBuffer distance;
    cuda::DeviceArray<std::int32_t> center;
    cuda::PinnedBuffer staged_rows;
    cuda::PinnedArray<std::int64_t> staged_picked;
    cuda::PinnedBuffer staged_distance;
    cuda::PinnedArray<std::int32_t> staged_center;
    std::vector<std::int64_t> sent;  // the rows on their way

    bool try_reserve(std::int64_t count, std::int64_t staged_dim) {
        return rows.try_reserve(count * staged_dim) && picked.try_reserve(count) &&
               distance.try_reserve(count) && center.try_reserve(count) &&
               staged_rows.try_reserve(count * staged_dim) && staged_picked.try_reserve(count) &&
               staged_distance.try_reserve(count) && staged_center.try_reserve(count);
    }
};

// Rows on the device: the first `count` of a matrix.
struct Resident {
    cuda::DeviceBuffer rows;
    std::int64_t count = 0;
};

// Relaxes rows in chunks that take turns in two slots: one's copies run beside the other's kernel.
class Relaxer {
  public:
    void relax(const RowSelection& selection, const Resident& resident, MatrixView centers,
               const NearestCenters& nearest) {
        centers_.reserve(centers.rows * centers.dim);
        centers_.upload(centers.data, centers.rows * centers.dim, slots_[0].stream);
        slots_[0].stream.synchronize();
        num_centers_ = centers.rows;
        std::vector<std::int64_t> here;
        std::vector<std::int64_t> elsewhere;
        for (std::int64_t i = 0; i < selection.count; ++i) {
            const std::int64_t row = selection.index(i);
            (row < resident.count ? here : elsewhere).push_back(row);
        }
        send_all(selection.all, here, resident.rows.data(), nearest);
        send_all(selection.all, elsewhere, nullptr, nearest);
    }

  private:
    // `resident` holds all of these rows, or is null.
    void send_all(MatrixView all, std::span<const std::int64_t> rows, const float* resident,
                  const NearestCenters& nearest) {
        const std::int64_t total = std::ssize(rows);
        if (total == 0) return;
        const std::int64_t staged_dim = resident == nullptr ? all.dim : 0;
        const std::int64_t wanted = std::min(
            {total, most_picks,
             std::max<std::int64_t>(1, staged_floats / std::max<std::int64_t>(1, staged_dim))});
        const std::int64_t chunk = cuda::most_that_fits(
            wanted, std::min<std::int64_t>(wanted, 64), [&](std::int64_t count) {
                if (slots_[0].try_reserve(count, staged_dim) &&
                    slots_[1].try_reserve(count, staged_dim))
                    return true;
                // What one slot holds too much of is missing for the other.
                for (Slot& slot : slots_)
                    slot.rows = cuda::DeviceBuffer();
                return false;
            });
        if (chunk == 0) slots_[0].rows.reserve(2 * 64 * all.dim);
        require(chunk > 0, ExitCode::unavailable,
                "CUDA: no memory for copies to the device; use --device cpu");
        std::size_t turn = 0;
        for (std::int64_t begin = 0; begin < total; begin += chunk, turn = 1 - turn) {
            receive(slots_[turn], nearest);
            const std::int64_t count = std::min(chunk, total - begin);
            send(slots_[turn], all,
                 rows.subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(count)),
                 resident, nearest);
        }
        receive(slots_[turn], nearest);
        receive(slots_[1 - turn], nearest);
    }

    void send(Slot& slot, MatrixView all, std::span<const std::int64_t> rows, const float* resident,
              const NearestCenters& nearest) {
        const std::int64_t count = std::ssize(rows);
        slot.sent.assign(rows.begin(), rows.end());
        RelaxTask task{
            slot.rows.data(),     nullptr,           count, all.dim, centers_.data(), num_centers_,
            slot.distance.data(), slot.center.data()};
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t row = slot.sent[static_cast<std::size_t>(i)];
            slot.staged_distance.data()[i] = nearest.distance[static_cast<std::size_t>(row)];
            slot.staged_center.data()[i] = -1;
            slot.staged_picked.data()[i] = row;
            if (resident == nullptr)
                std::copy_n(all.row(row), all.dim, slot.staged_rows.data() + i * all.dim);
        }
        if (resident == nullptr) {
            slot.rows.upload(slot.staged_rows.data(), count * all.dim, slot.stream);
        } else {
            slot.picked.upload(slot.staged_picked.data(), count, slot.stream);
            task.rows = resident;
            task.picked = slot.picked.data();
        }
        slot.distance.upload(slot.staged_distance.data(), count, slot.stream);
        slot.center.upload(slot.staged_center.data(), count, slot.stream);
        const auto num_blocks = static_cast<unsigned>((count + relax_tile - 1) / relax_tile);
        relax_kernel<<<num_blocks, relax_threads, 0, slot.stream.get()>>>(task);
        cuda::check(cudaGetLastError());
        slot.distance.download(slot.staged_distance.data(), count, slot.stream);
        slot.center.download(slot.staged_center.data(), count, slot.stream);
    }

    void receive(Slot& slot, const NearestCenters& nearest) {
        if (slot.sent.empty()) return;
        slot.stream.synchronize();
        for (std::size_t i = 0; i < slot.sent.size(); ++i) {
            const std::int32_t center = slot.staged_center.data()[i];
            if (center < 0) continue;
            const auto row = static_cast<std::size_t>(slot.sent[i]);
            nearest.distance[row] = slot.staged_distance.data()[i];
            if (!nearest.center.empty()) nearest.center[row] = nearest.first + center;
        }
        slot.sent.clear();
    }

    cuda::DeviceBuffer centers_;
    std::int64_t num_centers_ = 0;
    std::array<Slot, 2> slots_;
};

class CudaRows : public DeviceRows {
  public:
    explicit CudaRows(MatrixView rows) : rows_(rows) {
        const std::int64_t row_bytes = rows.dim * std::int64_t{sizeof(float)};
        const std::int64_t room = cuda::free_bytes() / row_share * (row_share - 1) / row_bytes;
        resident_.count = cuda::most_that_fits(
            std::min(rows.rows, room), 0,
            [&](std::int64_t count) { return resident_.rows.try_reserve(count * rows.dim); });
        const cuda::Stream stream;
        resident_.rows.upload(rows.data, resident_.count * rows.dim, stream);
        stream.synchronize();
    }

    void relax(std::span<const std::int64_t> picked, MatrixView centers,
               const NearestCenters& nearest) const override {
        relaxer_.relax(RowSelection(rows_, picked), resident_, centers, nearest);
    }

    void relax_all(MatrixView centers, const NearestCenters& nearest) const override {
        relaxer_.relax(RowSelection(rows_), resident_, centers, nearest);
    }

  private:
    MatrixView rows_;
    Resident resident_;
    mutable Relaxer relaxer_;
};

}  // namespace

std::unique_ptr<DeviceRows> make_device_rows(MatrixView rows) {
    return std::make_unique<CudaRows>(rows);
}

void relax_nearest_cuda(const RowSelection& selection, MatrixView centers,
                        const NearestCenters& nearest) {
    thread_local Relaxer own;
    own.relax(selection, Resident(), centers, nearest);
}

}  // namespace sluice::kernels
