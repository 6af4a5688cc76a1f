#include "pool/convert_half.hpp"

#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace sluice::pool {
namespace {

void widen_scalar(const std::byte* halves, float* out, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t half = 0;
        std::memcpy(&half, halves + 2 * i, sizeof half);
        out[i] = widen_half(half);
    }
}

#if defined(__x86_64__)
__attribute__((target("avx,f16c"))) void widen_f16c(const std::byte* halves, float* out,
                                                    std::size_t count) {
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8) {
        const auto* from = reinterpret_cast<const __m128i*>(halves + 2 * i);
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(from)));
    }
    widen_scalar(halves + 2 * i, out + i, count - i);
}

__attribute__((target("avx512f"))) void widen_avx512(const std::byte* halves, float* out,
                                                     std::size_t count) {
    std::size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        const auto* from = reinterpret_cast<const __m256i*>(halves + 2 * i);
        // The masked form has no undefined register that g++ 12 warns about.
        _mm512_storeu_ps(out + i, _mm512_maskz_cvtph_ps(0xFFFF, _mm256_loadu_si256(from)));
    }
    widen_scalar(halves + 2 * i, out + i, count - i);
}
#endif

WidenHalf best_variant() {
    if (const WidenHalf variant = widen_half_avx512()) return variant;
    if (const WidenHalf variant = widen_half_f16c()) return variant;
    return widen_half_scalar();
}

}  // namespace

float widen_half(std::uint16_t half) {
    const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
    const std::uint32_t exponent = half >> 10 & 0x1FU;
    const std::uint32_t mantissa = half & 0x3FFU;
    if (exponent == 0) {  // zero or subnormal: mantissa * 2^-24, exact in float32
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24F;
        return std::bit_cast<float>(std::bit_cast<std::uint32_t>(magnitude) | sign);
    }
    constexpr std::uint32_t infinite = 0x1F;
    constexpr std::uint32_t quiet_bit = 0x00400000;
    if (exponent == infinite) {
        const std::uint32_t payload = mantissa == 0 ? 0 : (mantissa << 13 | quiet_bit);
        return std::bit_cast<float>(sign | 0x7F800000U | payload);
    }
    return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

void widen_half(const std::byte* halves, std::span<float> out) {
    static const WidenHalf variant = best_variant();
    variant(halves, out.data(), out.size());
}

WidenHalf widen_half_scalar() {
    return widen_scalar;
}

WidenHalf widen_half_f16c() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx") && __builtin_cpu_supports("f16c")) return widen_f16c;
#endif
    return nullptr;
}

WidenHalf widen_half_avx512() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return widen_avx512;
#endif
    return nullptr;
}

}  // namespace sluice::pool
