#pragma once

#include "kernels/simd/lane.hpp"

#include <cstdint>

namespace sluice::kernels {

/// Eight rows in plain arrays, for processors without a vector type of their own here.
struct PortableLanes {
    static constexpr int width = 8;

    struct Integer {
        std::uint32_t lane[width];
        Integer() = default;
        SLUICE_LANE explicit Integer(std::uint32_t value) {
            for (std::uint32_t& element : lane)
                element = value;
        }
    };
    struct Mask {
        bool lane[width];
    };

    float lane[width];

    PortableLanes() = default;
    SLUICE_LANE explicit PortableLanes(float value) {
        for (float& element : lane)
            element = value;
    }
    SLUICE_LANE static void fetch_early(const float* from) { __builtin_prefetch(from); }
    SLUICE_LANE static PortableLanes load(const float* from) {
        PortableLanes result;
        for (int i = 0; i < width; ++i)
            result.lane[i] = from[i];
        return result;
    }
};

namespace portable {

/// result.lane[i] = operation(operands.lane[i]...).
template <class Result, class Operation, class... Operands>
SLUICE_LANE Result each(Operation operation, const Operands&... operands) {
    Result result;
    for (int i = 0; i < PortableLanes::width; ++i)
        result.lane[i] = operation(operands.lane[i]...);
    return result;
}

using Lanes = PortableLanes;
using Integer = PortableLanes::Integer;
using Mask = PortableLanes::Mask;

}  // namespace portable

/// As load, from any address.
SLUICE_LANE PortableLanes load_unaligned(PortableLanes, const float* from) {
    return PortableLanes::load(from);
}

SLUICE_LANE void store_lanes(float* to, PortableLanes value) {
    for (int i = 0; i < PortableLanes::width; ++i)
        to[i] = value.lane[i];
}

SLUICE_LANE PortableLanes operator+(PortableLanes a, PortableLanes b) {
    return portable::each<PortableLanes>([](float x, float y) { return x + y; }, a, b);
}
SLUICE_LANE PortableLanes operator-(PortableLanes a, PortableLanes b) {
    return portable::each<PortableLanes>([](float x, float y) { return x - y; }, a, b);
}
SLUICE_LANE PortableLanes operator*(PortableLanes a, PortableLanes b) {
    return portable::each<PortableLanes>([](float x, float y) { return x * y; }, a, b);
}
SLUICE_LANE PortableLanes operator/(PortableLanes a, PortableLanes b) {
    return portable::each<PortableLanes>([](float x, float y) { return x / y; }, a, b);
}
SLUICE_LANE PortableLanes multiply_add(PortableLanes a, PortableLanes b, PortableLanes c) {
    return portable::each<PortableLanes>(
        [](float x, float y, float z) { return __builtin_fmaf(x, y, z); }, a, b, c);
}
SLUICE_LANE PortableLanes larger(PortableLanes a, PortableLanes b) {
    return portable::each<PortableLanes>([](float x, float y) { return x > y ? x : y; }, a, b);
}
SLUICE_LANE PortableLanes smaller(PortableLanes a, PortableLanes b) {
    return portable::each<PortableLanes>([](float x, float y) { return x < y ? x : y; }, a, b);
}
SLUICE_LANE PortableLanes square_root(PortableLanes a) {
    return portable::each<PortableLanes>([](float x) { return __builtin_sqrtf(x); }, a);
}

SLUICE_LANE portable::Mask operator<(PortableLanes a, PortableLanes b) {
    return portable::each<portable::Mask>([](float x, float y) { return x < y; }, a, b);
}
SLUICE_LANE portable::Mask operator<=(PortableLanes a, PortableLanes b) {
    return portable::each<portable::Mask>([](float x, float y) { return x <= y; }, a, b);
}
SLUICE_LANE portable::Mask equal(PortableLanes a, PortableLanes b) {
    return portable::each<portable::Mask>([](float x, float y) { return x == y; }, a, b);
}
SLUICE_LANE portable::Mask differ(PortableLanes a, PortableLanes b) {
    return portable::each<portable::Mask>([](float x, float y) { return x != y; }, a, b);
}
SLUICE_LANE portable::Mask both(portable::Mask a, portable::Mask b) {
    return portable::each<portable::Mask>([](bool x, bool y) { return x && y; }, a, b);
}
SLUICE_LANE bool any(portable::Mask mask) {
    bool result = false;
    for (const bool holds : mask.lane)
        result = result || holds;
    return result;
}
SLUICE_LANE PortableLanes select(portable::Mask mask, PortableLanes yes, PortableLanes no) {
    return portable::each<PortableLanes>([](bool m, float y, float n) { return m ? y : n; }, mask,
                                         yes, no);
}
SLUICE_LANE PortableLanes add_where(portable::Mask mask, PortableLanes sum, PortableLanes term) {
    return select(mask, sum + term, sum);
}

SLUICE_LANE portable::Integer bits_of(PortableLanes value) {
    return portable::each<portable::Integer>(
        [](float x) { return __builtin_bit_cast(std::uint32_t, x); }, value);
}
SLUICE_LANE PortableLanes float_of_bits(portable::Integer bits) {
    return portable::each<PortableLanes>(
        [](std::uint32_t x) { return __builtin_bit_cast(float, x); }, bits);
}
SLUICE_LANE PortableLanes float_of_integer(portable::Integer bits) {
    return portable::each<PortableLanes>(
        [](std::uint32_t x) { return static_cast<float>(static_cast<std::int32_t>(x)); }, bits);
}
SLUICE_LANE portable::Integer operator+(portable::Integer a, portable::Integer b) {
    return portable::each<portable::Integer>([](auto x, auto y) { return x + y; }, a, b);
}
SLUICE_LANE portable::Integer operator-(portable::Integer a, portable::Integer b) {
    return portable::each<portable::Integer>([](auto x, auto y) { return x - y; }, a, b);
}
SLUICE_LANE portable::Integer operator&(portable::Integer a, portable::Integer b) {
    return portable::each<portable::Integer>([](auto x, auto y) { return x & y; }, a, b);
}
SLUICE_LANE portable::Integer operator|(portable::Integer a, portable::Integer b) {
    return portable::each<portable::Integer>([](auto x, auto y) { return x | y; }, a, b);
}
SLUICE_LANE portable::Integer any_bits(portable::Integer a, portable::Integer b,
                                       portable::Integer c) {
    return a | b | c;
}
SLUICE_LANE portable::Mask top_bit(portable::Integer bits) {
    return portable::each<portable::Mask>([](std::uint32_t x) { return (x >> 31) != 0; }, bits);
}
SLUICE_LANE PortableLanes times_power_of_two(PortableLanes value, PortableLanes count) {
    return portable::each<PortableLanes>(
        [](float x, float n) {
            const auto exponent = static_cast<std::int32_t>(n);
            const std::int32_t half = exponent >> 1;
            const auto power = [](std::int32_t k) {
                return __builtin_bit_cast(float, static_cast<std::uint32_t>(k + 127) << 23);
            };
            return x * power(half) * power(exponent - half);
        },
        value, count);
}

/// Rows of memory to lanes: tile[e * width + i] = rows[i * elements + e] for the `num_rows` rows
/// there are; the remaining lanes repeat the last of them.
SLUICE_LANE void fill_tile(PortableLanes, const float* rows, std::int64_t elements, int num_rows,
                           float* tile) {
    for (int i = 0; i < PortableLanes::width; ++i) {
        const float* row = rows + (i < num_rows ? i : num_rows - 1) * elements;
        for (std::int64_t e = 0; e < elements; ++e)
            tile[e * PortableLanes::width + i] = row[e];
    }
}

}  // namespace sluice::kernels
