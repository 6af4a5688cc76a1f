#include "kernels/cuda/device.hpp"
#include "kernels/device_gradients.hpp"
#include "kernels/gradient_block.hpp"

#include <cuda_runtime.h>

#include <cstdint>

namespace sluice::kernels {
namespace {

__global__ void __launch_bounds__(wide_threads) gradient_kernel(GradientTask task) {
    __shared__ GradientShared shared;
    DeviceBlock<GradientThread, wide_threads> block;
    gradient_block(block, shared, task, blockIdx.x);
}

// Gradients on the device.
class Gradients {
  public:
    bool try_send(const GradientView& from, const cuda::Stream& stream) {
        const std::int64_t num_errors = from.errors.rows * from.errors.dim;
        const std::int64_t num_features = from.features.rows * from.features.dim;
        if (!errors_.try_reserve(num_errors) || !features_.try_reserve(num_features) ||
            !norms_.try_reserve(from.errors.rows))
            return false;
        errors_.upload(from.errors.data, num_errors, stream);
        features_.upload(from.features.data, num_features, stream);
        norms_.upload(from.norms.data(), from.errors.rows, stream);
        stream.synchronize();
        view_ = {{errors_.data(), from.errors.rows, from.errors.dim},
                 {features_.data(), from.features.rows, from.features.dim},
                 norms_.data()};
        return true;
    }

    const GradientVectors& view() const { return view_; }

  private:
    cuda::DeviceBuffer errors_;
    cuda::DeviceBuffer features_;
    cuda::DeviceArray<double> norms_;
    GradientVectors view_;
};

class CudaGradients : public DeviceGradients {
  public:
    bool try_send(const GradientView& rows) {
        return rows_.try_send(rows, stream_) && spreads_.try_reserve(rows.errors.rows);
    }

    void lower(const GradientView& picks, std::span<double> spreads) const override {
        const auto count = static_cast<std::int64_t>(spreads.size());
        if (count == 0 || picks.errors.rows == 0) return;
        if (!picks_.try_send(picks, stream_))
            cuda::detail::throw_out_of_memory(
                static_cast<std::size_t>(picks.errors.rows *
                                         (picks.errors.dim + picks.features.dim)) *
                sizeof(float));
        spreads_.upload(spreads.data(), count, stream_);
        const GradientTask task{rows_.view(), picks_.view(), spreads_.data()};
        gradient_kernel<<<static_cast<unsigned>((count + wide_tile - 1) / wide_tile), wide_threads,
                          0, stream_.get()>>>(task);
        cuda::check(cudaGetLastError());
        spreads_.download(spreads.data(), count, stream_);
        stream_.synchronize();
    }

  private:
    cuda::Stream stream_;
    Gradients rows_;
    mutable Gradients picks_;
    mutable cuda::DeviceArray<double> spreads_;
};

}  // namespace

std::unique_ptr<DeviceGradients> make_device_gradients(const GradientView& rows) {
    auto gradients = std::make_unique<CudaGradients>();
    if (!gradients->try_send(rows)) return nullptr;
    return gradients;
}

}  // namespace sluice::kernels
