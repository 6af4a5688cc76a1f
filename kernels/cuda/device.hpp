#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <utility>

struct CUstream_st;
struct CUevent_st;

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

/// Bytes of the device's memory that nobody holds now; other ranks may take them at any time.
std::int64_t free_bytes();

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

/// Owns an event that keeps the time.
class Event {
  public:
    Event();
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    /// Queues it on `stream`.
    void record(const Stream& stream) const;

    /// Seconds of the device between two events, after both have passed.
    double seconds_since(const Event& earlier) const;

  private:
    CUevent_st* event_ = nullptr;
};

/// Memory of a kind: on the device, or on the host where the device copies from without a detour.
enum class MemoryKind { device, pinned };

namespace detail {
/// Null if there is not enough. Pinned memory that cannot be had is ordinary memory instead.
void* allocate(MemoryKind kind, std::size_t bytes);
void release(MemoryKind kind, void* memory) noexcept;
void copy_in(void* to, const void* from, std::size_t bytes, const Stream& stream);
void copy_out(void* to, const void* from, std::size_t bytes, const Stream& stream);
[[noreturn]] void throw_out_of_memory(std::size_t bytes);
}  // namespace detail

/// Owns room for `count` values.
template <class Value, MemoryKind kind>
class Memory {
  public:
    Memory() = default;
    explicit Memory(std::int64_t count) { reserve(count); }
    ~Memory() { detail::release(kind, data_); }
    Memory(Memory&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), count_(std::exchange(other.count_, 0)) {}
    Memory& operator=(Memory&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(count_, other.count_);
        return *this;
    }

    Value* data() const { return data_; }
    std::int64_t count() const { return count_; }

    /// Frees and allocates anew if there is less than `count`; false, holding nothing, if there is
    /// not enough memory.
    [[nodiscard]] bool try_reserve(std::int64_t count) {
        if (count <= count_) return true;
        *this = Memory();  // frees first: both may not fit
        data_ = static_cast<Value*>(detail::allocate(kind, bytes_of(count)));
        count_ = data_ == nullptr ? 0 : count;
        return data_ != nullptr;
    }

    /// The same; throws Error(unavailable) saying what would be needed.
    void reserve(std::int64_t count) {
        if (!try_reserve(count)) detail::throw_out_of_memory(bytes_of(count));
    }

    /// Queues a copy of `count` values from the host, or to it, on `stream`.
    void upload(const Value* from, std::int64_t count,
                const Stream& stream) requires(kind == MemoryKind::device) {
        detail::copy_in(data_, from, bytes_of(count), stream);
    }
    void download(Value* to, std::int64_t count, const Stream& stream) const
        requires(kind == MemoryKind::device) {
        detail::copy_out(to, data_, bytes_of(count), stream);
    }

  private:
    static std::size_t bytes_of(std::int64_t count) {
        return static_cast<std::size_t>(count) * sizeof(Value);
    }

    Value* data_ = nullptr;
    std::int64_t count_ = 0;
};

template <class Value>
using DeviceArray = Memory<Value, MemoryKind::device>;
template <class Value>
using PinnedArray = Memory<Value, MemoryKind::pinned>;
using DeviceBuffer = DeviceArray<float>;
using PinnedBuffer = PinnedArray<float>;

/// Halves `wanted` until `fits(count)`; at least `least` is tried. 0 if not even that fits.
template <class Fits>
std::int64_t most_that_fits(std::int64_t wanted, std::int64_t least, const Fits& fits) {
    for (std::int64_t count = wanted;; count = count / 2 > least ? count / 2 : least) {
        if (fits(count)) return count;
        if (count <= least) return 0;
    }
}

}  // namespace sluice::kernels::cuda
