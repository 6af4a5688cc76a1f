#include "kernels/cuda/device.hpp"
#include "kernels/device_variances.hpp"
#include "kernels/variance_block.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>

namespace sluice::kernels {
namespace {

__global__ void __launch_bounds__(wide_threads) variance_kernel(VarianceTask task) {
    __shared__ VarianceShared shared;
    DeviceBlock<VarianceThread, wide_threads> block;
    variance_block(block, shared, task, blockIdx.x);
}

// Looks on the device, to which more are added.
class SentLooks {
  public:
    void send(const LookView& looks, std::int64_t dim, const cuda::Stream& stream) {
        const auto count = static_cast<std::int64_t>(looks.divisors.size());
        if (count > divisors_.count() || count * dim > directions_.count()) {
            count_ = 0;  // what was there goes with its memory
            directions_.reserve(2 * count * dim);
            divisors_.reserve(2 * count);
        }
        // The host's copies are ordinary memory: they are read before the calls return.
        cuda::check(cudaMemcpyAsync(
            directions_.data() + count_ * dim, looks.directions.data() + count_ * dim,
            bytes_of((count - count_) * dim), cudaMemcpyHostToDevice, stream.get()));
        cuda::check(cudaMemcpyAsync(divisors_.data() + count_, looks.divisors.data() + count_,
                                    bytes_of(count - count_), cudaMemcpyHostToDevice,
                                    stream.get()));
        count_ = count;
    }

    const double* directions() const { return directions_.data(); }
    const double* divisors() const { return divisors_.data(); }

  private:
    static std::size_t bytes_of(std::int64_t count) {
        return static_cast<std::size_t>(count) * sizeof(double);
    }

    cuda::DeviceArray<double> directions_;
    cuda::DeviceArray<double> divisors_;
    std::int64_t count_ = 0;
};

class CudaVariances : public DeviceVariances {
  public:
    bool try_send(MatrixView rows) {
        dim_ = rows.dim;
        if (!rows_.try_reserve(rows.rows * rows.dim)) return false;
        rows_.upload(rows.data, rows.rows * rows.dim, stream_);
        stream_.synchronize();
        return true;
    }

    void refresh(std::span<const std::int64_t> picked, std::span<const std::int32_t> seen,
                 const LookView& looks, std::span<double> variances) const override {
        const auto count = static_cast<std::int64_t>(picked.size());
        const auto num_looks = static_cast<std::int64_t>(looks.divisors.size());
        if (count == 0 || num_looks == 0) return;
        looks_.send(looks, dim_, stream_);
        picked_.reserve(count);
        seen_.reserve(count);
        variances_.reserve(count);
        picked_.upload(picked.data(), count, stream_);
        seen_.upload(seen.data(), count, stream_);
        variances_.upload(variances.data(), count, stream_);
        const VarianceTask task{{rows_.data(), count, dim_, picked_.data()},
                                seen_.data(),
                                {looks_.directions(), num_looks, dim_},
                                looks_.divisors(),
                                variances_.data()};
        variance_kernel<<<static_cast<unsigned>((count + wide_tile - 1) / wide_tile), wide_threads,
                          0, stream_.get()>>>(task);
        cuda::check(cudaGetLastError());
        variances_.download(variances.data(), count, stream_);
        stream_.synchronize();
    }

  private:
    cuda::Stream stream_;
    std::int64_t dim_ = 0;
    cuda::DeviceBuffer rows_;
    mutable SentLooks looks_;
    mutable cuda::DeviceArray<std::int64_t> picked_;
    mutable cuda::DeviceArray<std::int32_t> seen_;
    mutable cuda::DeviceArray<double> variances_;
};

}  // namespace

std::unique_ptr<DeviceVariances> make_device_variances(MatrixView rows) {
    auto variances = std::make_unique<CudaVariances>();
    if (!variances->try_send(rows)) return nullptr;
    return variances;
}

}  // namespace sluice::kernels
