#pragma once

// The body of the race_rows_*.cpp files, each compiled for one instruction set. All of it has
// internal linkage and calls no library template: a function shared with other files could be
// taken by the linker from the file compiled for a newer processor.

#include "kernels/race_rows_cpu.hpp"

namespace sluice::kernels {
namespace {

template <typename Vector>
struct Counter {
    typename Vector::Type word[4];
};

// philox4x32 of core/philox.hpp, a row to a lane.
template <typename Vector>
Counter<Vector> philox_of_lanes(Counter<Vector> counter, std::uint64_t key) {
    auto key0 = static_cast<std::uint32_t>(key);
    auto key1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const auto product0 = Vector::multiply(counter.word[0], 0xD2511F53U);
        const auto product1 = Vector::multiply(counter.word[2], 0xCD9E8D57U);
        counter = {{Vector::exclusive_or(product1.high, counter.word[1], key0), product1.low,
                    Vector::exclusive_or(product0.high, counter.word[3], key1), product0.low}};
        key0 += 0x9E3779B9U;
        key1 += 0xBB67AE85U;
    }
    return counter;
}

template <typename Vector, int word>
int early_of_word(const RaceDraws& draws, const RowId* rows, const std::uint32_t* limits,
                  EarlyLane* to) {
    const typename Vector::Type limit = Vector::load(limits);
    const typename Vector::Type low = Vector::low_words(rows);
    // purpose << 16 | row >> 32: the row's part has no more than 16 bits.
    const typename Vector::Type high = Vector::exclusive_or(
        Vector::high_words(rows), Vector::fill(0), static_cast<std::uint32_t>(draws.purpose) << 16);
    int count = 0;
    for (std::uint32_t draw = 0; draw < draws.count; ++draw) {
        const Counter<Vector> random = philox_of_lanes<Vector>(
            {{low, high, Vector::fill(draws.first + draw), Vector::fill(draws.round)}}, draws.seed);
        unsigned early = Vector::at_most(random.word[word], limit);
        for (; early != 0; early &= early - 1)
            to[count++] = {static_cast<std::uint32_t>(__builtin_ctz(early)), draw};
    }
    return count;
}

template <typename Vector>
int early(const RaceDraws& draws, const RowId* rows, const std::uint32_t* limits, EarlyLane* to) {
    return draws.word == 0 ? early_of_word<Vector, 0>(draws, rows, limits, to)
                           : early_of_word<Vector, 1>(draws, rows, limits, to);
}

}  // namespace
}  // namespace sluice::kernels
