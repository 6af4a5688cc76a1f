#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace sluice::kernels {

/// A buffer of floats on whole cache lines that only grows.
class AlignedFloats {
  public:
    /// Room for `count` floats; their content is lost when the buffer has to grow.
    float* reserve(std::int64_t count) {
        if (count > capacity_) {
            memory_.reset();
            memory_.reset(static_cast<float*>(
                ::operator new(static_cast<std::size_t>(count) * sizeof(float), alignment)));
            capacity_ = count;
        }
        return memory_.get();
    }

    const float* data() const { return memory_.get(); }

  private:
    static constexpr std::align_val_t alignment{64};
    struct Release {
        void operator()(float* memory) const { ::operator delete(memory, alignment); }
    };
    std::unique_ptr<float, Release> memory_;
    std::int64_t capacity_ = 0;
};

}  // namespace sluice::kernels
