#include "kernels/cuda/device.hpp"

#include "core/error.hpp"

#include <cuda_runtime.h>

#include <atomic>
#include <string>
#include <utility>

namespace sluice::kernels::cuda {

namespace {

// The CUDA runtime keeps the current device for each thread; ours is one for the process.
std::atomic<int> chosen_device{0};

std::size_t bytes_of(std::int64_t count) {
    return static_cast<std::size_t>(count) * sizeof(float);
}

}  // namespace

bool is_built_in() {
    return true;
}

int num_devices() {
    // Left unset by the runtime when there is no driver (cudaErrorInsufficientDriver).
    int count = 0;
    if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
    cudaGetLastError();
    return 0;
}

void use_device(int device) {
    check(cudaSetDevice(device));
    chosen_device = device;
}

void check(int result, std::source_location where) {
    if (result == cudaSuccess) return;
    const std::string file = where.file_name();
    throw Error(ExitCode::unavailable,
                "CUDA: " + std::string(cudaGetErrorString(static_cast<cudaError_t>(result))) +
                    " (" + file.substr(file.rfind('/') + 1) + ":" + std::to_string(where.line()) +
                    "); use --device cpu");
}

Stream::Stream() {
    check(cudaSetDevice(chosen_device));
    check(cudaStreamCreate(&stream_));
}

Stream::~Stream() {
    cudaStreamDestroy(stream_);
}

void Stream::synchronize() const {
    check(cudaStreamSynchronize(stream_));
}

DeviceBuffer::DeviceBuffer(std::int64_t count) : count_(count) {
    check(cudaMalloc(reinterpret_cast<void**>(&data_), bytes_of(count)));
}

DeviceBuffer::~DeviceBuffer() {
    cudaFree(data_);
}

DeviceBuffer::DeviceBuffer(DeviceBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
    return *this;
}

void DeviceBuffer::reserve(std::int64_t count) {
    if (count <= count_) return;
    *this = DeviceBuffer();  // frees first: both may not fit
    *this = DeviceBuffer(count);
}

void DeviceBuffer::upload(const float* from, std::int64_t count, const Stream& stream) {
    check(cudaMemcpyAsync(data_, from, bytes_of(count), cudaMemcpyHostToDevice, stream.get()));
}

void DeviceBuffer::download(float* to, std::int64_t count, const Stream& stream) const {
    check(cudaMemcpyAsync(to, data_, bytes_of(count), cudaMemcpyDeviceToHost, stream.get()));
}

}  // namespace sluice::kernels::cuda
