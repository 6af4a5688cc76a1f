#include "kernels/activation.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <array>
#include <cstddef>
#include <string>

namespace sluice::kernels {

namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 5> names = {"identity", "relu", "silu", "tanh", "cosine"};

}  // namespace

std::string_view activation_name(Activation activation) {
    return names.at(static_cast<std::size_t>(activation));
}

std::vector<std::string_view> activation_names() {
    return {names.begin(), names.end()};
}

Activation find_activation(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i)
        if (names[i] == name) return static_cast<Activation>(i);
    const std::string nearest =
        nearest_name(name, std::vector<std::string>(names.begin(), names.end()));
    throw Error(ExitCode::usage, "unknown activation (" + printable(name) + ")" +
                                     (nearest.empty() ? "" : "; did you mean " + nearest + "?") +
                                     "; use identity, relu, silu, tanh or cosine");
}

}  // namespace sluice::kernels
