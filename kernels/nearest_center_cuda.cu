#include "kernels/cuda/device.hpp"
#include "kernels/nearest_center_cpu.hpp"

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sluice::kernels {
namespace {

constexpr int tile_size = 64;  // rows and centres of a thread block
constexpr int depth = 16;      // elements of them in shared memory at a time
constexpr int threads_a_side = 16;
constexpr int per_thread = tile_size / threads_a_side;
constexpr std::int64_t chunk_bytes = std::int64_t{256} << 20;  // rows sent to the device at a time

// Device memory and the stream of one calling thread, kept between calls.
struct Workspace {
    cuda::Stream stream;
    cuda::DeviceBuffer centers;
    cuda::DeviceBuffer rows;
    cuda::DeviceBuffer nearest;
};

Workspace& workspace() {
    thread_local Workspace own;
    return own;
}

// Copies `depth` elements from k0 on of 64 vectors, transposed; past the end of a vector or of the
// matrix the copies are zero, and zero minus zero leaves every sum as it is.
__device__ void load_tile(float (*tile)[tile_size + 1], MatrixView matrix, std::int64_t first,
                          std::int64_t k0) {
    const int thread = threadIdx.y * threads_a_side + threadIdx.x;
    for (int i = thread; i < tile_size * depth; i += threads_a_side * threads_a_side) {
        const std::int64_t vector = first + i / depth;
        const std::int64_t k = k0 + i % depth;
        const bool inside = vector < matrix.rows && k < matrix.dim;
        tile[i % depth][i / depth] = inside ? matrix.data[vector * matrix.dim + k] : 0.0F;
    }
}

// One block relaxes 64 rows against 64 centres at a time; each thread owns 4 x 4 distances, each of
// them one FMA chain over k ascending, as on the CPU.
__global__ void relax_kernel(MatrixView rows, MatrixView centers, float* nearest) {
    __shared__ float row_tile[depth][tile_size + 1];
    __shared__ float center_tile[depth][tile_size + 1];
    __shared__ float least[tile_size][threads_a_side + 1];
    const std::int64_t first_row = std::int64_t{blockIdx.x} * tile_size;
    float best[per_thread];
    for (int i = 0; i < per_thread; ++i)
        best[i] = INFINITY;
    for (std::int64_t first = 0; first < centers.rows; first += tile_size) {
        float sums[per_thread][per_thread] = {};
        for (std::int64_t k0 = 0; k0 < rows.dim; k0 += depth) {
            __syncthreads();
            load_tile(row_tile, rows, first_row, k0);
            load_tile(center_tile, centers, first, k0);
            __syncthreads();
            for (int k = 0; k < depth; ++k) {
                for (int i = 0; i < per_thread; ++i) {
                    const float x = row_tile[k][threadIdx.y + i * threads_a_side];
                    for (int j = 0; j < per_thread; ++j) {
                        const float d = x - center_tile[k][threadIdx.x + j * threads_a_side];
                        sums[i][j] = fmaf(d, d, sums[i][j]);
                    }
                }
            }
        }
        for (int j = 0; j < per_thread; ++j) {
            if (first + threadIdx.x + j * threads_a_side >= centers.rows) continue;
            for (int i = 0; i < per_thread; ++i)
                best[i] = fminf(best[i], sums[i][j]);
        }
    }
    for (int i = 0; i < per_thread; ++i) {
        least[threadIdx.y + i * threads_a_side][threadIdx.x] = best[i];
    }
    __syncthreads();
    const int thread = threadIdx.y * threads_a_side + threadIdx.x;
    if (thread >= tile_size || first_row + thread >= rows.rows) return;
    float result = nearest[first_row + thread];
    for (int i = 0; i < threads_a_side; ++i)
        result = fminf(result, least[thread][i]);
    nearest[first_row + thread] = result;
}

}  // namespace

void relax_nearest_cuda(const RowSelection& selection, MatrixView centers,
                        const NearestCenters& nearest) {
    const std::int64_t dim = centers.dim;
    const std::int64_t row_bytes = dim * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t chunk =
        std::min(selection.count, std::max<std::int64_t>(tile_size, chunk_bytes / row_bytes));
    Workspace& work = workspace();
    work.centers.reserve(centers.rows * dim);
    work.rows.reserve(chunk * dim);
    work.nearest.reserve(chunk);
    work.centers.upload(centers.data, centers.rows * dim, work.stream);
    std::vector<float> rows(static_cast<std::size_t>(chunk * dim));
    std::vector<float> values(static_cast<std::size_t>(chunk));
    for (std::int64_t begin = 0; begin < selection.count; begin += chunk) {
        const std::int64_t count = std::min(chunk, selection.count - begin);
        for (std::int64_t i = 0; i < count; ++i) {
            std::copy_n(selection.row(begin + i), dim, rows.data() + i * dim);
            values[i] = nearest.distance[selection.index(begin + i)];
        }
        work.rows.upload(rows.data(), count * dim, work.stream);
        work.nearest.upload(values.data(), count, work.stream);
        const auto num_blocks = static_cast<unsigned>((count + tile_size - 1) / tile_size);
        relax_kernel<<<num_blocks, dim3(threads_a_side, threads_a_side), 0, work.stream.get()>>>(
            {work.rows.data(), count, dim}, {work.centers.data(), centers.rows, dim},
            work.nearest.data());
        cuda::check(cudaGetLastError());
        work.nearest.download(values.data(), count, work.stream);
        work.stream.synchronize();
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t row = selection.index(begin + i);
            if (!nearest.center.empty() && values[i] < nearest.distance[row]) {
                nearest.center[row] = -1;
            }
            nearest.distance[row] = values[i];
        }
    }
}

}  // namespace sluice::kernels
