#include "model/layer_gradients.hpp"

#include "kernels/training_passes.hpp"

#include <algorithm>

namespace sluice::model {
namespace {

using kernels::Activation;
using kernels::AlignedFloats;

constexpr std::int64_t cache_line = 16;  // floats

std::int64_t whole_lines(std::int64_t count) {
    return (count + cache_line - 1) / cache_line * cache_line;
}

// Room for `count` floats, zeros where passes over whole cache lines look beyond them.
float* make_room(AlignedFloats& floats, std::int64_t count) {
    float* const memory = floats.reserve(whole_lines(count));
    std::fill(memory + count, memory + whole_lines(count), 0.0F);
    return memory;
}

// values = activation of the sums, slopes = its derivative there.
void activate(Activation activation, const AlignedFloats& sums, std::int64_t count, float* values,
              float* slopes) {
    const kernels::TrainingPasses& passes = kernels::training_passes();
    if (activation == Activation::silu) return passes.silu(sums.data(), count, values, slopes);
    if (activation == Activation::tanh) return passes.tanh(sums.data(), count, values, slopes);
    for (std::int64_t i = 0; i < count; ++i) {
        const float sum = sums.data()[i];
        const bool is_off = activation == Activation::relu && !(sum > 0.0F);
        values[i] = is_off ? 0.0F : sum;
        slopes[i] = is_off ? 0.0F : 1.0F;
    }
}

}  // namespace

std::vector<LayerGradients::Shape> LayerGradients::shapes_of(const Network& net) {
    std::vector<Shape> shapes;
    for (const Layer& layer : net.layers) {
        shapes.push_back({layer.inputs, layer.outputs});
        if (layer.activation == Activation::cosine) shapes.clear();
    }
    return shapes;
}

LayerGradients::LayerGradients(const Network& net)
    : layers_(net.layers.size()),
      shapes_(shapes_of(net)),
      first_trained_(layers_.size() - shapes_.size()) {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const Layer& layer = net.layers[l];
        layers_[l].up.pack_transposed(layer.weight.data(), layer.outputs, layer.inputs);
        layers_[l].down.pack(layer.weight.data(), layer.outputs, layer.inputs);
        layers_[l].bias = layer.bias;
        layers_[l].activation = layer.activation;
    }
}

std::vector<LayerGradient> LayerGradients::of(const float* inputs, std::int64_t rows,
                                              std::span<const float> errors) const {
    std::vector<LayerGradient> result(shapes_.size());
    AlignedFloats values;
    const std::int64_t dim = layers_.front().up.depth();
    std::copy_n(inputs, rows * dim, values.reserve(rows * dim));
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const Packed& layer = layers_[l];
        const std::int64_t count = rows * layer.up.columns();
        const kernels::DenseRows from{values.data(), rows, layer.up.depth()};
        AlignedFloats sums;
        float* const to = make_room(sums, count);
        const bool is_fixed = l < first_trained_;
        kernels::multiply(from, layer.up, layer.bias.data(),
                          is_fixed ? layer.activation : Activation::identity, to,
                          layer.up.columns());
        if (is_fixed) {
            values = std::move(sums);
            continue;
        }
        LayerGradient& own = result[l - first_trained_];
        own.reads = std::move(values);
        values = AlignedFloats();
        activate(layer.activation, sums, count, make_room(values, count),
                 make_room(own.slopes, count));
    }
    AlignedFloats above;
    std::copy(errors.begin(), errors.end(), above.reserve(std::ssize(errors)));
    for (std::size_t l = result.size(); l-- > 0;) {
        const Packed& layer = layers_[first_trained_ + l];
        float* const slopes = result[l].slopes.reserve(0);
        for (std::int64_t i = 0; i < rows * layer.up.columns(); ++i)
            slopes[i] *= above.data()[i];
        if (l == 0) break;
        kernels::multiply({slopes, rows, layer.up.columns()}, layer.down, nullptr,
                          Activation::identity, above.reserve(rows * layer.up.depth()),
                          layer.up.depth());
    }
    return result;
}

std::int64_t LayerGradients::memory_bytes() const {
    const auto floats_of = [](const kernels::DensePanels& panels) {
        return panels.depth() * panels.num_panels() * kernels::DensePanels::panel_width;
    };
    std::int64_t floats = 0;
    for (const Packed& layer : layers_)
        floats += floats_of(layer.up) + floats_of(layer.down) + layer.up.columns();
    return floats * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t LayerGradients::row_bytes() const {
    std::int64_t floats = 0;
    for (const Packed& layer : layers_)
        floats += 2 * layer.up.depth() + 3 * layer.up.columns();
    return floats * static_cast<std::int64_t>(sizeof(float));
}

}  // namespace sluice::model
