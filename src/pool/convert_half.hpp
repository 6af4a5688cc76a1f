#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sluice::pool {

/// Widens IEEE binary16 numbers (little-endian, any alignment, 2 bytes each) to float32, exactly;
/// NaNs become quiet. Takes the fastest instructions this processor has.
void widen_half(const std::byte* halves, std::span<float> out);

/// One number, without special instructions; the reference for the others.
float widen_half(std::uint16_t half);

/// The variants behind widen_half(), for tests: null where this processor cannot run one.
using WidenHalf = void (*)(const std::byte*, float*, std::size_t);
WidenHalf widen_half_scalar();
WidenHalf widen_half_f16c();
WidenHalf widen_half_avx512();

}  // namespace sluice::pool
