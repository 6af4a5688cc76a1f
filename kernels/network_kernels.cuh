#pragma once

#include "kernels/activation_functions.hpp"
#include "kernels/network_values.hpp"

#include <cstdint>

/// The device code of committee_network_cuda.cu.
namespace sluice::kernels {
namespace {

constexpr int depth = 16;  // elements of rows and columns in shared memory at a time
constexpr int threads_a_side = 16;
constexpr int rows_per_thread = 4;
constexpr int tile_rows = rows_per_thread * threads_a_side;
constexpr int warp_size = 32;
constexpr int warps = 4;      // rows that a thread block prepares
constexpr int threads = 256;  // of a thread block with a thread for each value

/// multiply()'s arguments on the device, the right-hand side as [inner, columns].
struct Product {
    const float* left;
    std::int64_t rows;
    std::int64_t left_stride;
    const float* right;
    std::int64_t inner;
    std::int64_t columns;
    const float* bias;
    Activation activation;
    float* out;
    std::int64_t out_stride;
};

/// How features become inputs, or a row's outputs leave the nets: arrays of `count` values; without
/// `factor` they stay as they are.
struct DeviceMap {
    std::int64_t count;
    const float* factor;
    const float* offset;
    const float* is_variance;
};

template <int columns_per_thread>
struct Tiles {
    static constexpr int columns = columns_per_thread * threads_a_side;
    float left[depth][tile_rows + 1];
    float right[depth][columns + 1];
};

/// Copies elements k0, k0 + 1, ... of the rows, transposed, and of the columns; what lies outside
/// is never used for a result.
template <int columns_per_thread>
__device__ void load_tiles(Tiles<columns_per_thread>& tiles, const Product& product,
                           std::int64_t row, std::int64_t column, std::int64_t k0) {
    constexpr int columns = Tiles<columns_per_thread>::columns;
    const int thread = threadIdx.y * threads_a_side + threadIdx.x;
    for (int i = thread; i < tile_rows * depth; i += threads_a_side * threads_a_side) {
        const std::int64_t r = row + i / depth;
        const std::int64_t k = k0 + i % depth;
        const bool inside = r < product.rows && k < product.inner;
        tiles.left[i % depth][i / depth] =
            inside ? product.left[r * product.left_stride + k] : 0.0F;
    }
    for (int i = thread; i < columns * depth; i += threads_a_side * threads_a_side) {
        const std::int64_t c = column + i % columns;
        const std::int64_t k = k0 + i / columns;
        const bool inside = c < product.columns && k < product.inner;
        tiles.right[i / columns][i % columns] =
            inside ? product.right[k * product.columns + c] : 0.0F;
    }
}

/// One step of the chains of a thread's sums.
template <int columns_per_thread>
__device__ void add_terms(const Tiles<columns_per_thread>& tiles, int k,
                          float (&sums)[rows_per_thread][columns_per_thread]) {
    for (int i = 0; i < rows_per_thread; ++i) {
        const float x = tiles.left[k][threadIdx.y + i * threads_a_side];
        for (int j = 0; j < columns_per_thread; ++j)
            sums[i][j] = fmaf(x, tiles.right[k][threadIdx.x + j * threads_a_side], sums[i][j]);
    }
}

/// Each sum is one FMA chain over k ascending from its bias, as on the CPU. No term is added for
/// the sake of a full tile: it could change a zero's sign.
template <int columns_per_thread>
__global__ void multiply_kernel(Product product) {
    __shared__ Tiles<columns_per_thread> tiles;
    const std::int64_t row = std::int64_t{blockIdx.x} * tile_rows;
    const std::int64_t column = std::int64_t{blockIdx.y} * tiles.columns;
    float sums[rows_per_thread][columns_per_thread];
    for (int j = 0; j < columns_per_thread; ++j) {
        const std::int64_t c = column + threadIdx.x + j * threads_a_side;
        for (int i = 0; i < rows_per_thread; ++i)
            sums[i][j] = c < product.columns ? product.bias[c] : 0.0F;
    }
    for (std::int64_t k0 = 0; k0 < product.inner; k0 += depth) {
        __syncthreads();
        load_tiles(tiles, product, row, column, k0);
        __syncthreads();
        if (product.inner - k0 >= depth) {
#pragma unroll
            for (int k = 0; k < depth; ++k)
                add_terms(tiles, k, sums);
        } else {
            for (int k = 0; k < product.inner - k0; ++k)
                add_terms(tiles, k, sums);
        }
    }
    for (int i = 0; i < rows_per_thread; ++i) {
        const std::int64_t r = row + threadIdx.y + i * threads_a_side;
        for (int j = 0; j < columns_per_thread; ++j) {
            const std::int64_t c = column + threadIdx.x + j * threads_a_side;
            if (r < product.rows && c < product.columns)
                product.out[r * product.out_stride + c] = activate(product.activation, sums[i][j]);
        }
    }
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
