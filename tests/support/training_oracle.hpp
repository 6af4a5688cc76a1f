#pragma once

#include "model/committee.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

/// Nets and losses once more, in double precision and straight from their definitions: nothing here
/// is shared with src/model or kernels.
namespace sluice::oracle {

using Values = std::vector<double>;

struct DenseLayer {
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    kernels::Activation activation = kernels::Activation::identity;
    Values weight;  // [outputs][inputs]
    Values bias;
};
using Net = std::vector<DenseLayer>;

inline Net net_of(const model::Network& network) {
    Net net;
    for (const model::Layer& layer : network.layers) {
        net.push_back({static_cast<std::size_t>(layer.inputs),
                       static_cast<std::size_t>(layer.outputs), layer.activation,
                       Values(layer.weight.begin(), layer.weight.end()),
                       Values(layer.bias.begin(), layer.bias.end())});
    }
    return net;
}

inline double activated(kernels::Activation activation, double x) {
    switch (activation) {
        case kernels::Activation::identity:
            return x;
        case kernels::Activation::relu:
            return x > 0.0 ? x : 0.0;
        case kernels::Activation::silu:
            return x / (1.0 + std::exp(-x));
        case kernels::Activation::tanh:
            return std::tanh(x);
        case kernels::Activation::cosine:
            return std::cos(x);
    }
    return 0.0;
}

inline Values outputs_of(const Net& net, Values values) {
    for (const DenseLayer& layer : net) {
        Values next(layer.outputs);
        for (std::size_t o = 0; o < layer.outputs; ++o) {
            double sum = layer.bias[o];
            for (std::size_t k = 0; k < layer.inputs; ++k)
                sum += layer.weight[o * layer.inputs + k] * values[k];
            next[o] = activated(layer.activation, sum);
        }
        values = std::move(next);
    }
    return values;
}

inline double cross_entropy(const Values& logits, std::size_t truth) {
    double sum = 0.0;
    for (const double logit : logits)
        sum += std::exp(logit - logits[truth]);
    return std::log(sum);
}

/// One value for each class, or a single one that is positive for class 1.
inline double squared_hinge(const Values& decisions, std::size_t truth) {
    double sum = 0.0;
    for (std::size_t c = 0; c < decisions.size(); ++c) {
        const bool own = decisions.size() == 1 ? truth == 1 : c == truth;
        const double missing = std::max(0.0, 1.0 - (own ? decisions[c] : -decisions[c]));
        sum += missing * missing;
    }
    return sum;
}

inline double mean_square(const Values& said, const Values& wanted) {
    double sum = 0.0;
    for (std::size_t t = 0; t < wanted.size(); ++t)
        sum += (said[t] - wanted[t]) * (said[t] - wanted[t]);
    return sum / static_cast<double>(wanted.size());
}

/// -log of the normal density, mean over components; `said` = means, then log variances.
inline double normal_likelihood(const Values& said, const Values& wanted) {
    double sum = 0.0;
    for (std::size_t t = 0; t < wanted.size(); ++t) {
        const double variance = std::exp(said[wanted.size() + t]);
        const double off = said[t] - wanted[t];
        sum += 0.5 * std::log(2.0 * std::acos(-1.0) * variance) + off * off / (2.0 * variance);
    }
    return sum / static_cast<double>(wanted.size());
}

}  // namespace sluice::oracle
