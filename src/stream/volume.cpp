#include "stream/volume.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <iterator>
#include <vector>

namespace sluice::stream {
namespace {

constexpr std::int64_t most_dims = 8192;

void begin(std::int64_t dim, double ridge, StreamState& state) {
    require(dim > 0 && dim <= most_dims, ExitCode::bad_data,
            fmt::format("an item has {} dimensions, volume sampling takes 1 to {}; choose "
                        "--embedding features, or fewer features",
                        dim, most_dims));
    state.dim = dim;
    state.inverse.assign(static_cast<std::size_t>(dim * dim), 0.0);
    state.squares.assign(static_cast<std::size_t>(dim * dim), 0.0);
    for (std::int64_t i = 0; i < dim; ++i)
        state.inverse[static_cast<std::size_t>(i * dim + i)] = 1.0 / ridge;
}

// S^-1 x
std::vector<double> solved(std::span<const double> x, const StreamState& state) {
    std::vector<double> result(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) {
        double sum = 0.0;
        for (std::size_t k = 0; k < x.size(); ++k)
            sum += state.inverse[i * x.size() + k] * x[k];
        result[i] = sum;
    }
    return result;
}

double dot(std::span<const double> left, std::span<const double> right) {
    double sum = 0.0;
    for (std::size_t i = 0; i < left.size(); ++i)
        sum += left[i] * right[i];
    return sum;
}

}  // namespace

double relative_gain(std::span<const double> x, double ridge, StreamState& state) {
    if (state.dim == 0) begin(std::ssize(x), ridge, state);
    require(std::ssize(x) == state.dim, ExitCode::bad_data,
            fmt::format("an item has {} dimensions, those before {}; give items of one kind",
                        x.size(), state.dim));
    for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t k = 0; k < x.size(); ++k)
            state.squares[i * x.size() + k] += x[i] * x[k];
    }
    const double gain = dot(x, solved(x, state));
    const double all = dot(state.inverse, state.squares);
    return all > 0.0 ? gain * static_cast<double>(state.seen + 1) / all : 1.0;
}

void add_to_volume(std::span<const double> x, StreamState& state) {
    const std::vector<double> moved = solved(x, state);
    const double scale = 1.0 / (1.0 + dot(x, moved));
    for (std::size_t i = 0; i < x.size(); ++i) {
        for (std::size_t k = 0; k < x.size(); ++k)
            state.inverse[i * x.size() + k] -= scale * (moved[i] * moved[k]);
    }
}

}  // namespace sluice::stream
