#pragma once

#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <string_view>
#include <vector>

/// Multilayer perceptrons once more, in double precision and straight from the definition: nothing
/// here is shared with kernels/.
namespace sluice::oracle {

inline double activate(std::string_view name, double x) {
    if (name == "identity") return x;
    if (name == "relu") return std::fmax(x, 0.0);
    if (name == "silu") return x / (1.0 + std::exp(-x));
    if (name == "tanh") return std::tanh(x);
    if (name == "cosine") return std::cos(x);
    throw std::invalid_argument("no oracle for this activation");
}

/// A number and a bound on what float32 arithmetic may be off by.
struct Bounded {
    double value = 0.0;
    double error = 0.0;
};

/// A layer's sum of n terms by a chain of n fused multiply-adds that starts from the bias: at most
/// n + 1 roundings of numbers no larger than the sum of the terms' sizes, and what the inputs are
/// off by, weighed.
/// \source Higham, Accuracy and Stability of Numerical Algorithms, 3.1.
inline Bounded layer_sum(const std::vector<Bounded>& in, const float* weight, double bias) {
    Bounded sum{bias, 0.0};
    double size = std::abs(bias);
    for (std::size_t k = 0; k < in.size(); ++k) {
        const auto w = static_cast<double>(weight[k]);
        sum.value += w * in[k].value;
        sum.error += std::abs(w) * in[k].error;
        size += std::abs(w) * (std::abs(in[k].value) + in[k].error);
    }
    sum.error += static_cast<double>(in.size() + 1) * 0x1p-24 * size * 1.001;
    return sum;
}

/// Through an activation: none is steeper than 1.1, and our own are off by at most 4 units in the
/// last place, cosine by 1.5e-7.
inline Bounded activate(std::string_view name, const Bounded& x) {
    const double value = activate(name, x.value);
    const double own = name == "cosine" ? 1.5e-7
                       : name == "identity" || name == "relu"
                           ? 0.0
                           : 4 * 0x1p-23 * std::abs(value) + 1e-43;
    return {value, 1.1 * x.error + own};
}

}  // namespace sluice::oracle
