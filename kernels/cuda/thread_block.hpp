#pragma once

#include "core/host_device.hpp"

/// A block of threads as block-level algorithms see it, so that one source runs on the device and,
/// for the tests, on the CPU. An algorithm is a row of steps: `block.each(step)` lets every thread
/// take `step(thread, own)`, with `own` what this thread keeps from step to step, and waits for all
/// of them. A step may read what others wrote to shared memory in earlier steps, never in its own.
namespace sluice::kernels {

/// Before a loop of a few steps whose number is known: what a thread keeps stays in registers.
#ifdef __CUDA_ARCH__
#define SLUICE_UNROLL _Pragma("unroll")
#elif defined(__CUDACC__)
#define SLUICE_UNROLL
#else
#define SLUICE_UNROLL _Pragma("GCC unroll 8")
#endif

/// The twin on the CPU: one thread after the other.
template <class Own, int num_threads>
class SerialBlock {
  public:
    static constexpr int size = num_threads;

    template <class Step>
    SLUICE_HD void each(const Step& step) {
        for (int thread = 0; thread < size; ++thread)
            step(thread, own_[thread]);
    }

  private:
    Own own_[num_threads] = {};
};

#ifdef __CUDACC__
/// A thread block of CUDA, in one dimension.
template <class Own, int num_threads>
class DeviceBlock {
  public:
    static constexpr int size = num_threads;

    template <class Step>
    SLUICE_HD void each(const Step& step) {
#ifdef __CUDA_ARCH__
        step(static_cast<int>(threadIdx.x), own_);
        __syncthreads();
#endif
    }

  private:
    Own own_ = {};
};
#endif

}  // namespace sluice::kernels
