#pragma once

#include "benchmarks/bench_clock.hpp"
#include "benchmarks/gpu_fill.hpp"
#include "core/error.hpp"
#include "kernels/backend.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/worker_pool.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <optional>
#include <thread>
#include <vector>

namespace sluice::bench {

/// Another one in every run.
inline std::uint64_t fresh_seed() {
    static const auto seed =
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    return seed;
}

inline int all_threads() {
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

inline std::vector<float> random_values(std::int64_t count) {
    constexpr std::int64_t block = 1 << 16;
    std::vector<float> values(static_cast<std::size_t>(count));
    kernels::parallel_for(all_threads(), (count + block - 1) / block, [&](std::int64_t task) {
        for (std::int64_t i = task * block; i < std::min(count, (task + 1) * block); ++i)
            values[static_cast<std::size_t>(i)] = random_value(fresh_seed(), i);
    });
    return values;
}

/// Measures what is queued on a stream of the device.
class DeviceBench {
  public:
    explicit DeviceBench(std::int64_t shrink)
        : flush_(std::max<std::int64_t>(1 << 20, (1 << 26) / shrink)),
          from_(std::max<std::int64_t>(1 << 20, (1 << 28) / shrink)),
          to_(from_.count()) {
        fill(from_);
    }

    const kernels::cuda::Stream& stream() const { return stream_; }

    template <class Array>
    void fill(Array& values) const {
        fill_on_device(values, fresh_seed(), stream_);
    }

    /// Seconds that so many floats take at the rate of a copy from device to device, measured now,
    /// both ways counted.
    double seconds_to_move(std::int64_t floats) {
        const double seconds = seconds_of(to_, stream_, [&] {
            kernels::cuda::check(cudaMemcpyAsync(to_.data(), from_.data(), bytes_of(from_.count()),
                                                 cudaMemcpyDeviceToDevice, stream_.get()));
        });
        return seconds * static_cast<double>(floats) / (2.0 * static_cast<double>(from_.count()));
    }

    /// The device's seconds for what `queue` queues on `stream`; `results` are poisoned, and the
    /// second-level cache is overwritten.
    double seconds_of(const kernels::cuda::DeviceBuffer& results,
                      const kernels::cuda::Stream& stream, const std::function<void()>& queue) {
        kernels::cuda::check(
            cudaMemsetAsync(results.data(), 0xff, bytes_of(results.count()), stream.get()));
        kernels::cuda::check(
            cudaMemsetAsync(flush_.data(), 1, bytes_of(flush_.count()), stream.get()));
        before_.record(stream);
        queue();
        after_.record(stream);
        stream.synchronize();
        return after_.seconds_since(before_);
    }

    static std::size_t bytes_of(std::int64_t floats) {
        return static_cast<std::size_t>(floats) * sizeof(float);
    }

  private:
    kernels::cuda::Stream stream_;
    kernels::cuda::Event before_;
    kernels::cuda::Event after_;
    kernels::cuda::DeviceBuffer flush_;  // larger than any second-level cache
    kernels::cuda::DeviceBuffer from_;
    kernels::cuda::DeviceBuffer to_;
};

/// Where everything is measured: on the GPU, or, to rehearse it, on the CPU.
class Bench {
  public:
    /// Sizes are divided by `shrink`.
    Bench(kernels::Backend backend, std::int64_t shrink) : backend_(backend), shrink_(shrink) {
        if (backend == kernels::Backend::cuda) device_.emplace(shrink);
    }

    kernels::Backend backend() const { return backend_; }
    bool on_gpu() const { return device_.has_value(); }
    DeviceBench& device() { return *device_; }
    std::int64_t shrunk(std::int64_t size) const {
        return std::max<std::int64_t>(size / shrink_, 32);
    }

    /// Of the GPU's memory, or of the CPU's.
    double seconds_to_move(std::int64_t floats) {
        if (on_gpu()) return device_->seconds_to_move(floats);
        std::vector<float> to(1 << 16);
        const std::vector<float> from(to.size());
        const double seconds = bench::seconds_of(
            [&] { std::memcpy(to.data(), from.data(), to.size() * sizeof(float)); });
        return seconds * static_cast<double>(floats) / (2.0 * static_cast<double>(to.size()));
    }

  private:
    kernels::Backend backend_;
    std::int64_t shrink_;
    std::optional<DeviceBench> device_;
};

}  // namespace sluice::bench
