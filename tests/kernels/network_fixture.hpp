#pragma once

#include "kernels/committee_network.hpp"
#include "support/network_oracle.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <list>
#include <random>
#include <vector>

namespace sluice::kernels {

/// A definition together with the weights it points to.
struct MadeNetwork {
    NetworkDefinition definition;
    std::list<std::vector<float>> memory;
};

/// The sizes of a committee: D, the hidden layers, C, M.
struct NetworkShape {
    std::int64_t dim = 0;
    std::vector<std::int64_t> hidden;
    std::int64_t outputs = 0;
    std::size_t members = 1;
    Activation activation = Activation::relu;
};

inline std::vector<float> random_floats(std::size_t count, unsigned seed, float scale = 1.0F) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0F, scale);
    std::vector<float> values(count);
    for (float& value : values)
        value = normal(generator);
    return values;
}

/// A committee of random weights; `output` committee_logits.
inline MadeNetwork make_network(const NetworkShape& shape, unsigned seed) {
    MadeNetwork made;
    made.definition.dim = shape.dim;
    made.definition.outputs = made.definition.first_variance = shape.outputs;
    for (std::size_t m = 0; m < shape.members; ++m) {
        std::vector<DenseLayer> layers;
        std::int64_t inputs = shape.dim;
        for (std::size_t i = 0; i <= shape.hidden.size(); ++i) {
            const bool last = i == shape.hidden.size();
            const std::int64_t outputs = last ? shape.outputs : shape.hidden[i];
            const float scale = 1.0F / std::sqrt(static_cast<float>(inputs));
            made.memory.push_back(
                random_floats(static_cast<std::size_t>(inputs * outputs), seed += 7, scale));
            const float* weight = made.memory.back().data();
            made.memory.push_back(
                random_floats(static_cast<std::size_t>(outputs), seed += 7, 0.3F));
            layers.push_back({inputs, outputs, weight, made.memory.back().data(),
                              last ? Activation::identity : shape.activation});
            inputs = outputs;
        }
        made.definition.members.push_back(layers);
    }
    return made;
}

inline std::vector<float> outputs_of(const CommitteeNetwork& network,
                                     const std::vector<float>& features) {
    const auto rows = static_cast<std::int64_t>(features.size()) / network.dim();
    std::vector<float> out(static_cast<std::size_t>(rows * network.members() * network.outputs()));
    network.run(features.data(), rows, out.data());
    return out;
}

/// The outputs [M, outputs] of one row in double precision, each with its bound.
inline std::vector<oracle::Bounded> oracle_outputs(const NetworkDefinition& definition,
                                                   const float* features) {
    std::vector<oracle::Bounded> out;
    for (const std::vector<DenseLayer>& layers : definition.members) {
        std::vector<oracle::Bounded> values;
        for (std::size_t k = 0; k < static_cast<std::size_t>(definition.dim); ++k) {
            double x = static_cast<double>(features[k]);
            if (!definition.input_offset.empty())
                x -= static_cast<double>(definition.input_offset[k]);
            if (!definition.input_factor.empty())
                x *= static_cast<double>(definition.input_factor[k]);
            values.push_back({x, 2.01 * 0x1p-24 * std::abs(x)});
        }
        for (const DenseLayer& layer : layers) {
            std::vector<oracle::Bounded> next;
            for (std::int64_t o = 0; o < layer.outputs; ++o)
                next.push_back(
                    oracle::activate(activation_name(layer.activation),
                                     oracle::layer_sum(values, layer.weight + o * layer.inputs,
                                                       static_cast<double>(layer.bias[o]))));
            values = next;
        }
        out.insert(out.end(), values.begin(), values.end());
    }
    return out;
}

}  // namespace sluice::kernels
