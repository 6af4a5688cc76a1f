#pragma once

#include "kernels/simd/lane.hpp"

#include <cstdint>

namespace sluice::kernels {

/// The bits of an IEEE binary16 number, as pools store it.
using Half = std::uint16_t;

/// The same number as float32: every binary16 number is one; NaN stays NaN.
SLUICE_LANE float widened(Half half) {
#ifdef __CUDA_ARCH__
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));  // its C++ name needs a header of CUDA
    return value;
#else
    constexpr std::uint32_t infinite = 0x7c00U << 13;
    const std::uint32_t bits = half;
    const std::uint32_t sign = (bits & 0x8000U) << 16;
    const std::uint32_t magnitude = (bits & 0x7fffU) << 13;
    if (magnitude >= infinite) return float_of_bits(sign | magnitude | 0x7f800000U);
    // The exponent's offsets differ by 112; numbers without one become normal on the way.
    return float_of_bits(sign | bits_of(float_of_bits(magnitude) * 0x1p112F));
#endif
}
SLUICE_LANE float widened(float value) {
    return value;
}

/// As many values as move as one, where they lie on a multiple of 16 bytes.
template <class Stored>
struct alignas(16) Pack {
    static constexpr int size = 16 / sizeof(Stored);
    Stored at[size];
};
using FloatPack = Pack<float>;

}  // namespace sluice::kernels
