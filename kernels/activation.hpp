#pragma once

#include <string_view>
#include <vector>

namespace sluice::kernels {

/// What a layer does to each of its sums x. Computed in canonical arithmetic: the same bits on
/// every back end.
enum class Activation {
    identity,  ///< x
    relu,      ///< max(x, 0)
    silu,      ///< x / (1 + e^-x)
    tanh,      ///< hyperbolic tangent
    cosine,    ///< cos x, of random Fourier features
};

/// "identity", "relu", "silu", "tanh", "cosine": as in a model file and in options.
std::string_view activation_name(Activation activation);

/// Every activation's name, for options and help.
std::vector<std::string_view> activation_names();

/// The activation of that name; throws Error(usage) naming the nearest one.
Activation find_activation(std::string_view name);

}  // namespace sluice::kernels
