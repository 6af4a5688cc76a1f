#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>

struct CUstream_st;

/// The few CUDA runtime calls in use, owned and checked. Free of CUDA headers, so that code which
/// only asks whether there is a GPU compiles everywhere; without CUDA in the build there is no
/// device, and every call that needs one throws Error(unavailable).
namespace sluice::kernels::cuda {

/// True if this build has the CUDA back end.
bool is_built_in();

/// Number of usable devices; 0 without a driver, with one too old, or without a device.
int num_devices();

/// Makes `device` the current one of this thread and of threads started later by sluice.
void use_device(int device);

/// Throws Error(unavailable) naming the call's place unless `result` is cudaSuccess.
/// A cudaError_t is passed as it is.
void check(int result, std::source_location where = std::source_location::current());

/// Owns a stream.
class Stream {
  public:
    Stream();
    ~Stream();
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    CUstream_st* get() const { return stream_; }

    /// Waits for everything queued on it; errors of kernels come up here.
    void synchronize() const;

  private:
    CUstream_st* stream_ = nullptr;
};

/// Owns device memory for `count` floats.
class DeviceBuffer {
  public:
    DeviceBuffer() = default;
    explicit DeviceBuffer(std::int64_t count);
    ~DeviceBuffer();
    DeviceBuffer(DeviceBuffer&& other) noexcept;
    DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;

    float* data() const { return data_; }
    std::int64_t count() const { return count_; }

    /// Frees and allocates anew if there is less than `count`.
    void reserve(std::int64_t count);

    /// Queues a copy of `count` floats from the host, or to it, on `stream`.
    void upload(const float* from, std::int64_t count, const Stream& stream);
    void download(float* to, std::int64_t count, const Stream& stream) const;

  private:
    float* data_ = nullptr;
    std::int64_t count_ = 0;
};

}  // namespace sluice::kernels::cuda
