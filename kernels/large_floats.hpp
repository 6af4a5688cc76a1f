#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace sluice::kernels {

/// A large buffer of floats that begin undefined, on huge pages where the system has them: threads
/// that fill it stop for a page once in 2 MiB.
class LargeFloats {
  public:
    LargeFloats() = default;
    explicit LargeFloats(std::int64_t count) {
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
        memory_.reset(static_cast<float*>(::operator new(bytes, alignment)));
        // Advice: the buffer is as good where it is not taken.
        static_cast<void>(::madvise(memory_.get(), bytes, MADV_HUGEPAGE));
    }

    bool empty() const { return memory_ == nullptr; }
    float* data() const { return memory_.get(); }

  private:
    static constexpr std::align_val_t alignment{std::size_t{2} << 20};
    struct Release {
        void operator()(float* memory) const { ::operator delete(memory, alignment); }
    };
    std::unique_ptr<float, Release> memory_;
};

}  // namespace sluice::kernels
