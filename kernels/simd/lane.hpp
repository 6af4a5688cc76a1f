#pragma once

#include "core/host_device.hpp"

#include <cmath>
#include <cstdint>

/// Marks the small operations that every score is made of: they must vanish into their caller, in
/// every translation unit with its own instruction set.
#ifdef __CUDACC__
#define SLUICE_LANE SLUICE_HD __forceinline__
#else
#define SLUICE_LANE [[gnu::always_inline]] inline
#endif

namespace sluice::kernels {

/// The operations that canonical arithmetic is made of, for one float. The vector types beside
/// this file (`Avx512Lanes`, `Avx2Lanes`, `PortableLanes`) offer the same names for many rows at a
/// time. Each is exact or rounds once as IEEE 754 says, so that a lane's bits never depend on the
/// type: `+ - * /`, `<`, and the functions below. Integers are 32 bits and wrap.
template <class Value>
struct LaneTypes {
    using Integer = typename Value::Integer;
    using Mask = typename Value::Mask;
};

template <>
struct LaneTypes<float> {
    using Integer = std::uint32_t;
    using Mask = bool;
};

template <class Value>
using IntegerOf = typename LaneTypes<Value>::Integer;
template <class Value>
using MaskOf = typename LaneTypes<Value>::Mask;

/// One value from memory; vector types read a value for each lane.
template <class Value>
SLUICE_LANE Value load_lanes(const float* from) {
    return Value::load(from);
}
template <>
SLUICE_LANE float load_lanes<float>(const float* from) {
    return *from;
}

SLUICE_LANE void store_lanes(float* to, float value) {
    *to = value;
}

/// Vector types ask for the cache line at from + offset, which need not exist.
template <class Value>
SLUICE_LANE void fetch_early(const float* from, std::int64_t offset) {
    Value::fetch_early(from + offset);
}
template <>
SLUICE_LANE void fetch_early<float>(const float*, std::int64_t) {}

/// a * b + c, rounded once.
SLUICE_LANE float multiply_add(float a, float b, float c) {
    return fmaf(a, b, c);
}

/// The larger and the smaller of two; `b` where either is NaN.
SLUICE_LANE float larger(float a, float b) {
    return a > b ? a : b;
}
SLUICE_LANE float smaller(float a, float b) {
    return a < b ? a : b;
}

SLUICE_LANE float select(bool condition, float yes, float no) {
    return condition ? yes : no;
}
SLUICE_LANE bool both(bool a, bool b) {
    return a && b;
}
SLUICE_LANE bool equal(float a, float b) {
    return a == b;
}

/// True unless equal: for NaN too.
SLUICE_LANE bool differ(float a, float b) {
    return a != b;
}

/// sum + term where the mask holds, elsewhere sum.
SLUICE_LANE float add_where(bool mask, float sum, float term) {
    return mask ? sum + term : sum;
}

SLUICE_LANE float square_root(float value) {
    return sqrtf(value);
}

/// True if the mask holds in any lane.
SLUICE_LANE bool any(bool mask) {
    return mask;
}

/// The bits of a float, and back.
SLUICE_LANE std::uint32_t bits_of(float value) {
#ifdef __CUDA_ARCH__
    return __float_as_uint(value);
#else
    return __builtin_bit_cast(std::uint32_t, value);
#endif
}
SLUICE_LANE float float_of_bits(std::uint32_t bits) {
#ifdef __CUDA_ARCH__
    return __uint_as_float(bits);
#else
    return __builtin_bit_cast(float, bits);
#endif
}

/// The value of a two's complement integer, rounded to nearest.
SLUICE_LANE float float_of_integer(std::uint32_t bits) {
    return static_cast<float>(static_cast<std::int32_t>(bits));
}

/// a | b | c, bit by bit.
SLUICE_LANE std::uint32_t any_bits(std::uint32_t a, std::uint32_t b, std::uint32_t c) {
    return a | b | c;
}

/// True where the top bit is set.
SLUICE_LANE bool top_bit(std::uint32_t bits) {
    return static_cast<std::int32_t>(bits) < 0;
}

/// 1.5 * 2^23: added to a small number it leaves the nearest integer in the low mantissa bits.
inline constexpr float integer_magic = 12582912.0F;

inline constexpr float infinity = __builtin_inff();
inline constexpr float largest_float = 0x1.fffffep127F;
inline constexpr float not_a_number = __builtin_nanf("");

/// value * 2^count rounded once (gradual underflow included), for a whole number `count`,
/// |count| <= 250, and value in [0.5, 2]. In halves, of which only the last can round.
SLUICE_LANE float times_power_of_two(float value, float count) {
    const std::uint32_t exponent = bits_of(count + integer_magic) - bits_of(integer_magic);
    const auto half = static_cast<std::uint32_t>(static_cast<std::int32_t>(exponent) >> 1);
    const float first = float_of_bits((half + 127U) << 23);
    const float second = float_of_bits((exponent - half + 127U) << 23);
    return value * first * second;
}

}  // namespace sluice::kernels
