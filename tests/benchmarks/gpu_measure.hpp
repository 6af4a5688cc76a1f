#pragma once

#include "benchmarks/bench_clock.hpp"
#include "benchmarks/gpu_fill.hpp"
#include "core/error.hpp"
#include "kernels/cuda/device.hpp"
#include "kernels/cuda/row_stream.hpp"
#include "kernels/score_rows_cuda.hpp"
#include "kernels/worker_pool.hpp"

#include <cuda_runtime.h>
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sluice::bench {

struct Settings {
    bool is_quick = false;
    int repeats = 9;
    std::string only;

    bool wants(const std::string& id) const { return only.empty() || only == id; }
};

inline Settings settings_from(int argc, char** argv) {
    Settings settings;
    for (int i = 1; i < argc; ++i) {
        const std::string_view name = argv[i];
        if (name == "--quick") {
            settings.is_quick = true;
        } else if (name == "--only" && i + 1 < argc) {
            settings.only = argv[++i];
        } else if (name == "--repeats" && i + 1 < argc) {
            settings.repeats = std::max(1, std::atoi(argv[++i]));
        } else {
            throw Error(ExitCode::usage, std::string(name) + ": unknown option");
        }
    }
    return settings;
}

inline void print(const std::string& id, std::string_view side, double seconds,
                  const std::string& what) {
    fmt::print("{}\t{}\t{:.9f}\t{}\n", id, side, seconds, what);
    std::fflush(stdout);
}

/// Another one in every run.
inline std::uint64_t fresh_seed() {
    static const auto seed =
        static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch().count());
    return seed;
}

inline std::vector<float> random_values(std::int64_t count) {
    constexpr std::int64_t block = 1 << 16;
    std::vector<float> values(static_cast<std::size_t>(count));
    kernels::parallel_for(
        static_cast<int>(std::thread::hardware_concurrency()), (count + block - 1) / block,
        [&](std::int64_t task) {
            for (std::int64_t i = task * block; i < std::min(count, (task + 1) * block); ++i)
                values[static_cast<std::size_t>(i)] = random_value(fresh_seed(), i);
        });
    return values;
}

/// Measures what is queued on a stream.
class Bench {
  public:
    explicit Bench(const Settings& settings)
        : repeats_(settings.repeats), flush_(settings.is_quick ? 1 << 20 : 1 << 26) {
        const std::int64_t floats = settings.is_quick ? 1 << 22 : 1 << 28;
        kernels::cuda::DeviceBuffer from(floats);
        kernels::cuda::DeviceBuffer to(floats);
        fill(from);
        const double seconds = seconds_of(to, [&] {
            kernels::cuda::check(cudaMemcpyAsync(to.data(), from.data(), bytes_of(floats),
                                                 cudaMemcpyDeviceToDevice, stream_.get()));
        });
        bytes_per_second_ = 2.0 * static_cast<double>(bytes_of(floats)) / seconds;
        print("copy", "ours", seconds,
              fmt::format("{} bytes from device to device: {:.0f} GB/s both ways counted",
                          bytes_of(floats), bytes_per_second_ / 1e9));
    }

    const kernels::cuda::Stream& stream() const { return stream_; }
    int repeats() const { return repeats_; }

    void fill(kernels::cuda::DeviceBuffer& values) const {
        fill_on_device(values, fresh_seed(), stream_);
    }

    /// Seconds that so many floats take at the rate of a copy.
    double seconds_to_move(std::int64_t floats) const {
        return static_cast<double>(bytes_of(floats)) / bytes_per_second_;
    }

    /// Median seconds of what `queue` queues on `stream`; `results` are poisoned each time.
    double seconds_of(const kernels::cuda::DeviceBuffer& results,
                      const kernels::cuda::Stream& stream, const std::function<void()>& queue) {
        std::vector<double> seconds;
        for (int repeat = -2; repeat < repeats_; ++repeat) {
            kernels::cuda::check(
                cudaMemsetAsync(results.data(), 0xff, bytes_of(results.count()), stream.get()));
            kernels::cuda::check(
                cudaMemsetAsync(flush_.data(), repeat, bytes_of(flush_.count()), stream.get()));
            before_.record(stream);
            queue();
            after_.record(stream);
            stream.synchronize();
            if (repeat >= 0) seconds.push_back(after_.seconds_since(before_));
        }
        return median(std::move(seconds));
    }
    double seconds_of(const kernels::cuda::DeviceBuffer& results,
                      const std::function<void()>& queue) {
        return seconds_of(results, stream_, queue);
    }

  private:
    static std::size_t bytes_of(std::int64_t floats) {
        return static_cast<std::size_t>(floats) * sizeof(float);
    }

    int repeats_;
    kernels::cuda::Stream stream_;
    kernels::cuda::Event before_;
    kernels::cuda::Event after_;
    kernels::cuda::DeviceBuffer flush_;  // larger than any second-level cache
    double bytes_per_second_ = 0.0;
};

}  // namespace sluice::bench
