#pragma once

#include "core/types.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/top_rows_block.hpp"

#include <cstdint>
#include <span>
#include <vector>

/// top_rows.hpp on the device. In builds with CUDA only.
namespace sluice::kernels {

/// Memory for what passes a filter.
struct PassedRows {
    cuda::DeviceArray<ScoredPlace> passed;
    cuda::DeviceArray<ScoredPlace> best;
    cuda::DeviceArray<TopState> state;
    cuda::PinnedArray<TopState> staged_state;
    cuda::PinnedArray<ScoredPlace> staged;

    bool try_reserve(std::int64_t rows) {
        return passed.try_reserve(rows) && best.try_reserve(rows) && state.try_reserve(1) &&
               staged_state.try_reserve(1) && staged.try_reserve(rows);
    }
    void release() {
        passed = cuda::DeviceArray<ScoredPlace>();
        best = cuda::DeviceArray<ScoredPlace>();
    }
};

/// Queues the search of scores on the device (on a multiple of 16 bytes) for keys below `limit`,
/// see limit_of, and for NaN.
void queue_passing(const float* scores, std::int64_t rows, std::uint64_t limit, PassedRows& memory,
                   const cuda::Stream& stream);

/// Waits for it; what has passed, of more than `most` numbers the best, ascending by place. Valid
/// until the memory is used again.
std::span<const ScoredPlace> receive_passing(std::int64_t most, PassedRows& memory,
                                             const cuda::Stream& stream);

/// The best of scores that lie on the device, and the memory it takes to find them.
class DeviceTopRows {
  public:
    /// For `wanted` of `count` scores, below 2^32.
    DeviceTopRows(std::int64_t wanted, std::int64_t count);

    /// Finds the `wanted` best of `scores` [count], on a multiple of 16 bytes; they stay on the
    /// device. Scores that are NaN are passed over. Returns how many there are.
    std::int64_t find(const float* scores, const cuda::Stream& stream);

    /// What was found, best first, as rows 0 and on.
    std::vector<Candidate> take(std::int64_t found, const cuda::Stream& stream) const;

  private:
    std::int64_t wanted_;
    std::int64_t count_;
    cuda::DeviceArray<ScoredPlace> sample_;
    cuda::DeviceArray<ScoredPlace> passed_;
    cuda::DeviceArray<ScoredPlace> best_;
    cuda::DeviceArray<TopState> state_;
    cuda::PinnedArray<TopState> staged_;
};

}  // namespace sluice::kernels
