#include "benchmarks/gpu_fill.hpp"

#include <cuda_fp16.h>
#include <cuda_runtime.h>

namespace sluice::bench {
namespace {

__global__ void fill_kernel(float* values, std::int64_t count, std::uint64_t seed) {
    const std::int64_t threads = std::int64_t{gridDim.x} * blockDim.x;
    for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
         i += threads)
        values[i] = random_value(seed, i);
}

__global__ void fill_halves_kernel(std::uint16_t* values, std::int64_t count, std::uint64_t seed) {
    const std::int64_t threads = std::int64_t{gridDim.x} * blockDim.x;
    for (std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count;
         i += threads)
        values[i] = __half_as_ushort(__float2half(random_value(seed, i)));
}

}  // namespace

void fill_on_device(kernels::cuda::DeviceBuffer& values, std::uint64_t seed,
                    const kernels::cuda::Stream& stream) {
    fill_kernel<<<1024, 256, 0, stream.get()>>>(values.data(), values.count(), seed);
    kernels::cuda::check(cudaGetLastError());
    stream.synchronize();
}

void fill_on_device(kernels::cuda::DeviceArray<std::uint16_t>& halves, std::uint64_t seed,
                    const kernels::cuda::Stream& stream) {
    fill_halves_kernel<<<1024, 256, 0, stream.get()>>>(halves.data(), halves.count(), seed);
    kernels::cuda::check(cudaGetLastError());
    stream.synchronize();
}

}  // namespace sluice::bench
