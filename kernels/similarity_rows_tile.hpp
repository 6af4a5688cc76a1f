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

}  // namespace
}  // namespace sluice::kernels
