#pragma once

#include "kernels/network_values.hpp"
#include "kernels/product_block.hpp"
#include "kernels/score_staging.hpp"

#include <cstdint>

/// The device code of committee_network_cuda.cu.
namespace sluice::kernels {
namespace {

constexpr int warp_size = 32;
constexpr int warps = 4;      // rows that a thread block prepares
constexpr int threads = 256;  // of a thread block with a thread for each value

/// How features become inputs, or a row's outputs leave the nets: arrays of `count` values; without
/// `factor` they stay as they are.
struct DeviceMap {
    std::int64_t count;
    const float* factor;
    const float* offset;
    const float* is_variance;
};

template <class Shape>
__global__ void __launch_bounds__(Shape::threads, 2) multiply_kernel(Product product) {
    __shared__ typename Shape::Shared shared;
    DeviceBlock<typename Shape::Thread, Shape::threads> block;
    product_block<Shape>(
        block, shared, product,
        {std::int64_t{blockIdx.x} * Shape::rows, std::int64_t{blockIdx.y} * Shape::columns});
}

/// A thread for eight features.
__global__ void widen_kernel(const Half* halves, std::int64_t count, float* features) {
    stage_values(halves, count, std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x,
                 std::int64_t{gridDim.x} * blockDim.x, features);
}

/// A warp for each row: makes its features inputs, in place; 0, or NaN if one of them is not
/// finite, in `spoiled`.
__global__ void prepare_kernel(float* features, std::int64_t rows, DeviceMap map, float* spoiled) {
    const std::int64_t row = std::int64_t{blockIdx.x} * warps + threadIdx.y;
    if (row >= rows) return;
    float bad = 0.0F;
    for (std::int64_t k = threadIdx.x; k < map.count; k += warp_size) {
        float& x = features[row * map.count + k];
        bad = bad + (x - x);
        if (map.factor != nullptr) x = network_input(x, map.offset[k], map.factor[k]);
    }
    const bool any_bad = __any_sync(0xffffffffU, differ(bad, 0.0F)) != 0;
    if (threadIdx.x == 0) spoiled[row] = any_bad ? not_a_number : 0.0F;
}

/// A thread for each output, in place.
__global__ void finish_kernel(float* outputs, std::int64_t rows, DeviceMap map,
                              const float* spoiled) {
    const std::int64_t i = std::int64_t{blockIdx.x} * threads + threadIdx.x;
    if (i >= rows * map.count) return;
    const std::int64_t column = i % map.count;
    float x = outputs[i];
    if (map.factor != nullptr) {
        const float factor = map.factor[column];
        x = differ(map.is_variance[column], 0.0F)
                ? network_variance(x, factor)
                : network_prediction(x, factor, map.offset[column]);
    }
    outputs[i] = differ(spoiled[i / map.count], 0.0F) ? not_a_number : number_or_nan(x);
}

}  // namespace
}  // namespace sluice::kernels
