#pragma once

#include "kernels/activation_functions.hpp"
#include "kernels/training_passes.hpp"

#include <cstdint>

// Compiled once for each instruction set; see training_passes_*.cpp.

namespace sluice::kernels {

constexpr std::int64_t floats_of_cache_line = 16;

template <class Value>
struct TrainingLanes {
    static constexpr std::int64_t width = Value::width;
    static_assert(floats_of_cache_line % width == 0);

    static std::int64_t whole_lines(std::int64_t count) {
        return (count + floats_of_cache_line - 1) / floats_of_cache_line * floats_of_cache_line;
    }

    // silu' = sigma + silu (1 - sigma), sigma = silu / x.
    static void silu(const float* sums, std::int64_t count, float* values, float* slopes) {
        const Value zero(0.0F);
        const Value one(1.0F);
        for (std::int64_t i = 0; i < whole_lines(count); i += width) {
            const auto x = load_lanes<Value>(sums + i);
            const Value value = canonical_silu(x);
            const Value sigma = select(equal(x, zero), Value(0.5F), value / x);
            store_lanes(values + i, value);
            store_lanes(slopes + i, sigma + value * (one - sigma));
        }
    }

    static void tanh(const float* sums, std::int64_t count, float* values, float* slopes) {
        const Value one(1.0F);
        for (std::int64_t i = 0; i < whole_lines(count); i += width) {
            const Value value = canonical_tanh(load_lanes<Value>(sums + i));
            store_lanes(values + i, value);
            store_lanes(slopes + i, one - value * value);
        }
    }

    static void exponential(float* values, std::int64_t count) {
        for (std::int64_t i = 0; i < whole_lines(count); i += width)
            store_lanes(values + i, canonical_exp(load_lanes<Value>(values + i)));
    }

    static void logarithm(float* values, std::int64_t count) {
        for (std::int64_t i = 0; i < whole_lines(count); i += width)
            store_lanes(values + i, canonical_log(load_lanes<Value>(values + i)));
    }

    // Without fma: on processors that lack it, it is slow, and nothing here needs it.
    static void adam(const AdamRates& rates, const AdamMemory& memory, std::int64_t count) {
        const Value mean_rate(rates.mean_rate);
        const Value square_rate(rates.square_rate);
        const Value step(rates.step);
        const Value square_scale(rates.square_scale);
        const Value epsilon(rates.epsilon);
        const Value keep(rates.keep);
        const Value penalty(rates.penalty);
        for (std::int64_t i = 0; i < whole_lines(count); i += width) {
            const auto weight = load_lanes<Value>(memory.weights + i);
            const Value gradient = load_lanes<Value>(memory.gradients + i) + weight * penalty;
            auto mean = load_lanes<Value>(memory.means + i);
            auto square = load_lanes<Value>(memory.squares + i);
            mean = mean + (gradient - mean) * mean_rate;
            square = square + (gradient * gradient - square) * square_rate;
            const Value spread = square_root(square) * square_scale + epsilon;
            store_lanes(memory.means + i, mean);
            store_lanes(memory.squares + i, square);
            store_lanes(memory.weights + i, weight * keep - step * mean / spread);
        }
    }

    static constexpr TrainingPasses passes = {silu, tanh, exponential, logarithm, adam};
};

}  // namespace sluice::kernels
