#include "kernels/cuda/device.hpp"

#include "core/error.hpp"

#include <cuda_runtime.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <utility>

namespace sluice::kernels::cuda {

namespace {

// The CUDA runtime keeps the current device for each thread; ours is one for the process.
std::atomic<int> chosen_device{0};

std::string mebibytes(std::size_t bytes) {
    return std::to_string((bytes + (1U << 20) - 1) >> 20) + " MiB";
}

// Pinned memory comes with a note of where it is from, in front of what is handed out.
constexpr std::size_t note_bytes = 256;
struct Note {
    void* begin;
    bool is_pinned;
};

void* with_note(void* begin, bool is_pinned) {
    *static_cast<Note*>(begin) = {begin, is_pinned};
    return static_cast<char*>(begin) + note_bytes;
}

void* allocate_pinned(std::size_t bytes) {
    void* memory = nullptr;
    if (cudaMallocHost(&memory, bytes + note_bytes) == cudaSuccess) return with_note(memory, true);
    cudaGetLastError();
    memory = std::malloc(bytes + note_bytes);
    return memory == nullptr ? nullptr : with_note(memory, false);
}

void release_pinned(void* memory) {
    const Note note = *reinterpret_cast<Note*>(static_cast<char*>(memory) - note_bytes);
    if (note.is_pinned) {
        cudaFreeHost(note.begin);
    } else {
        std::free(note.begin);
    }
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

std::int64_t free_bytes() {
    std::size_t available = 0;
    std::size_t total = 0;
    check(cudaMemGetInfo(&available, &total));
    return static_cast<std::int64_t>(available);
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
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking));
}

Stream::~Stream() {
    cudaStreamDestroy(stream_);
}

void Stream::synchronize() const {
    check(cudaStreamSynchronize(stream_));
}

Event::Event() {
    check(cudaEventCreate(&event_));
}

Event::~Event() {
    cudaEventDestroy(event_);
}

void Event::record(const Stream& stream) const {
    check(cudaEventRecord(event_, stream.get()));
}

double Event::seconds_since(const Event& earlier) const {
    float milliseconds = 0.0F;
    check(cudaEventElapsedTime(&milliseconds, earlier.event_, event_));
    return static_cast<double>(milliseconds) / 1e3;
}

namespace detail {

void* allocate(MemoryKind kind, std::size_t bytes) {
    if (kind == MemoryKind::pinned) return allocate_pinned(bytes);
    void* memory = nullptr;
    const cudaError_t result = cudaMalloc(&memory, bytes);
    if (result == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        return nullptr;
    }
    check(result);
    return memory;
}

void release(MemoryKind kind, void* memory) noexcept {
    if (memory == nullptr) return;
    if (kind == MemoryKind::device) {
        cudaFree(memory);
    } else {
        release_pinned(memory);
    }
}

void copy_in(void* to, const void* from, std::size_t bytes, const Stream& stream) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream.get()));
}

void copy_out(void* to, const void* from, std::size_t bytes, const Stream& stream) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream.get()));
}

void throw_out_of_memory(std::size_t bytes) {
    throw Error(ExitCode::unavailable,
                "CUDA: " + mebibytes(bytes) + " of device memory are needed at once, and " +
                    mebibytes(static_cast<std::size_t>(free_bytes())) +
                    " are free; use fewer ranks or --threads for a GPU, or --device cpu");
}

}  // namespace detail

}  // namespace sluice::kernels::cuda
