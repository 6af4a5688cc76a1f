#pragma once

// As dense_tile.hpp: part of the dense_*.cpp files, each compiled for one instruction set.

#include "kernels/dense_cpu.hpp"
#include "kernels/network_values.hpp"

#include <cstdint>

namespace sluice::kernels {
namespace {

// Calls step(j, values) for each vector of `count` values; the last one is filled up with zeros,
// and what it leaves in the vector is stored as far as there is room.
template <typename Lanes, typename Step>
void for_each_vector(const float* from, float* to, std::int64_t count, const Step& step) {
    std::int64_t j = 0;
    float last[Lanes::width] = {};
    for (; j + Lanes::width <= count; j += Lanes::width)
        store_lanes(to + j, step(j, load_unaligned(Lanes(), from + j)));
    if (j == count) return;
    for (std::int64_t i = j; i < count; ++i)
        last[i - j] = from[i];
    store_lanes(last, step(j, load_unaligned(Lanes(), last)));
    for (std::int64_t i = j; i < count; ++i)
        to[i] = last[i - j];
}

template <typename Lanes>
bool prepare_row(const InputMap& map, const float* features, float* inputs) {
    Lanes spoiled(0.0F);
    for_each_vector<Lanes>(features, inputs, map.dim, [&](std::int64_t k, Lanes x) {
        spoiled = spoiled + (x - x);
        if (map.factor == nullptr) return x;
        return network_input(x, Lanes::load(map.offset + k), Lanes::load(map.factor + k));
    });
    return !any(differ(spoiled, Lanes(0.0F)));
}

template <typename Lanes>
void finish_row(const OutputMap& map, float* values) {
    for_each_vector<Lanes>(values, values, map.columns, [&](std::int64_t j, Lanes x) {
        if (map.factor == nullptr) return number_or_nan(x);
        const Lanes factor = Lanes::load(map.factor + j);
        const auto is_variance = differ(Lanes::load(map.is_variance + j), Lanes(0.0F));
        const Lanes prediction = network_prediction(x, factor, Lanes::load(map.offset + j));
        if (!any(is_variance)) return number_or_nan(prediction);
        return number_or_nan(select(is_variance, network_variance(x, factor), prediction));
    });
}

}  // namespace
}  // namespace sluice::kernels
