#pragma once

// The body of the similarity_rows_*.cpp files, each compiled for one instruction set. All of it has
// internal linkage or vanishes into its caller, and calls no library template: a function shared
// with other files could be taken by the linker from the file compiled for a newer processor.

#include "kernels/canonical_math.hpp"
#include "kernels/similarity_rows_cpu.hpp"

namespace sluice::kernels {
namespace {

template <typename Lanes>
void exponentials_of(float* values, std::int64_t count, float divisor) {
    const Lanes all_divisor(divisor);
    std::int64_t begin = 0;
    for (; begin + Lanes::width <= count; begin += Lanes::width) {
        const Lanes x = load_unaligned(Lanes(), values + begin);
        store_lanes(values + begin, canonical_exp(x / all_divisor));
    }
    if (begin == count) return;
    alignas(64) float rest[Lanes::width] = {};
    for (std::int64_t i = begin; i < count; ++i)
        rest[i - begin] = values[i];
    store_lanes(rest, canonical_exp(Lanes::load(rest) / all_divisor));
    for (std::int64_t i = begin; i < count; ++i)
        values[i] = rest[i - begin];
}

template <typename Four>
void add_uncovered_of(const float* similar, const float* covered, const double* weights,
                      std::int64_t count, double* sums) {
    typename Four::Type sum = Four::load(sums);
    for (std::int64_t i = 0; i < count; i += 4) {
        const typename Four::Type more =
            Four::positive_part(Four::widen(similar + i), Four::widen(covered + i));
        sum = Four::add_product(sum, Four::load(weights + i), more);
    }
    Four::store(sums, sum);
}

// Four rows at a time: the chains of one alone would wait for its sums.
template <typename Four>
void add_uncovered_of_four(const float* similar, std::int64_t stride, const float* covered,
                           const double* weights, std::int64_t count, double* sums) {
    using Type = typename Four::Type;
    Type sum[4];
    for (int row = 0; row < 4; ++row)
        sum[row] = Four::load(sums + 4 * row);
    for (std::int64_t i = 0; i < count; i += 4) {
        const Type cover = Four::widen(covered + i);
        const Type weight = Four::load(weights + i);
        for (int row = 0; row < 4; ++row) {
            const Type more = Four::positive_part(Four::widen(similar + row * stride + i), cover);
            sum[row] = Four::add_product(sum[row], weight, more);
        }
    }
    for (int row = 0; row < 4; ++row)
        Four::store(sums + 4 * row, sum[row]);
}

template <typename Four>
void mark_uncovered_of(const UncoveredRow& row, std::int64_t count, double* sums,
                       std::uint64_t* above, std::int64_t* numbers) {
    constexpr std::int64_t ahead = 512;
    constexpr std::uint64_t first_chain = 0x1111'1111'1111'1111;
    typename Four::Type sum = Four::load(sums);
    for (std::int64_t begin = 0; begin < count; begin += 64) {
        std::uint64_t bits = 0;
        for (std::int64_t line = 0; line < 64; line += 16)
            __builtin_prefetch(row.similar + begin + ahead + line);
        for (std::int64_t i = 0; i < 64; i += 4) {
            const std::int64_t at = begin + i;
            const typename Four::Type more =
                Four::positive_part(Four::widen(row.similar + at), Four::widen(row.covered + at));
            sum = Four::add_product(sum, Four::load(row.weights + at), more);
            bits |= Four::above_zero(more) << i;
        }
        above[begin / 64] = bits;
        for (int chain = 0; chain < 4; ++chain)
            numbers[chain] += __builtin_popcountll(bits & (first_chain << chain));
    }
    Four::store(sums, sum);
}

}  // namespace
}  // namespace sluice::kernels
