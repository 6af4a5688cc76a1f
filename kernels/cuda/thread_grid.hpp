#pragma once

#include "kernels/cuda/thread_block.hpp"

#ifdef __CUDACC__
#include <cooperative_groups.h>
#endif

/// A grid of thread blocks that wait for each other, as grid-level algorithms see it: a row of
/// steps, `grid.each_block(step)`. Every block takes `step(block, shared, index)` and waits for all
/// of them; what the step returns, whether to go on, is the same for all blocks. A step may read
/// what other blocks wrote to the memory that all share in earlier steps, never in its own.
namespace sluice::kernels {

/// The twin on the CPU: one block after the other.
template <class GridBlock, class Shared>
class SerialGrid {
  public:
    using Block = GridBlock;

    /// Blocks and what each one's threads share, `size` of either.
    SerialGrid(Block* blocks, const Shared* shared, int size)
        : blocks_(blocks), shared_(shared), size_(size) {}

    template <class Step>
    bool each_block(const Step& step) {
        bool goes_on = false;
        for (int index = 0; index < size_; ++index)
            goes_on = step(blocks_[index], shared_[index], index);
        return goes_on;
    }

  private:
    Block* blocks_;
    const Shared* shared_;
    int size_;
};

#ifdef __CUDACC__
/// A grid of CUDA, in one dimension, launched by cudaLaunchCooperativeKernel.
template <class GridBlock, class Shared>
class DeviceGrid {
  public:
    using Block = GridBlock;

    SLUICE_HD explicit DeviceGrid(const Shared& shared) : shared_(shared) {}

    template <class Step>
    SLUICE_HD bool each_block(const Step& step) {
#ifdef __CUDA_ARCH__
        const bool goes_on = step(block_, shared_, static_cast<int>(blockIdx.x));
        cooperative_groups::this_grid().sync();
        return goes_on;
#else
        return false;
#endif
    }

  private:
    Block block_;
    Shared shared_;
};
#endif

}  // namespace sluice::kernels
