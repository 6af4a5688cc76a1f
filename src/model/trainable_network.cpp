#include "model/trainable_network.hpp"

#include "core/error.hpp"
#include "model/random_numbers.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>

namespace sluice::model {
namespace {

using kernels::Activation;
using kernels::AlignedFloats;
using kernels::DenseRows;

// Element-wise only: Eigen's own sums and products depend on the size of its vectors.
using Array = Eigen::Map<Eigen::ArrayXf>;
using ConstArray = Eigen::Map<const Eigen::ArrayXf>;

constexpr std::int64_t cache_line = 16;  // floats

std::int64_t whole_lines(std::int64_t count) {
    return (count + cache_line - 1) / cache_line * cache_line;
}

float* memory_of(AlignedFloats& floats) {
    return floats.reserve(0);
}

void make_zeros(AlignedFloats& floats, std::int64_t count) {
    std::fill_n(floats.reserve(whole_lines(count)), whole_lines(count), 0.0F);
}

// to [columns, rows] = from [rows, columns], a few rows at a time so that cache lines are filled.
void transpose(const DenseRows& from, std::int64_t columns, float* to) {
    constexpr std::int64_t tile = 8;
    const std::int64_t rows = from.rows;
    std::int64_t i = 0;
    for (; i + tile <= rows; i += tile) {
        const float* first = from.values + i * from.stride;
        for (std::int64_t j = 0; j < columns; ++j)
            for (std::int64_t k = 0; k < tile; ++k)
                to[j * rows + i + k] = first[k * from.stride + j];
    }
    for (; i < rows; ++i)
        for (std::int64_t j = 0; j < columns; ++j)
            to[j * rows + i] = from.values[i * from.stride + j];
}

float initial_bound(const TrainableNetwork::Shape& shape) {
    const bool rectifies =
        shape.activation == Activation::relu || shape.activation == Activation::silu;
    const auto inputs = static_cast<float>(shape.inputs);
    const auto both = static_cast<float>(shape.inputs + shape.outputs);
    // A uniform number in (-a, a) has variance a^2 / 3.
    return std::sqrt(6.0F / (rectifies ? inputs : both));
}

}  // namespace

TrainableNetwork::TrainableNetwork(const std::vector<Shape>& shapes, std::int64_t max_rows,
                                   std::uint64_t seed) {
    for (const Shape& shape : shapes) {
        TrainableLayer& layer = layers_.emplace_back();
        layer.shape = shape;
        layer.weight_at = num_weights_;
        num_weights_ += whole_lines(shape.inputs * shape.outputs);
    }
    num_parameters_ = num_weights_;
    std::int64_t widest = 0;
    for (TrainableLayer& layer : layers_) {
        layer.bias_at = num_parameters_;
        num_parameters_ += whole_lines(layer.shape.outputs);
        widest = std::max(widest, layer.shape.inputs);
        for (AlignedFloats* floats : {&layer.sums, &layer.values, &layer.slopes, &layer.gradients})
            make_zeros(*floats, max_rows * layer.shape.outputs);
    }
    for (AlignedFloats* floats : {&parameters_, &gradients_, &means_, &squares_})
        make_zeros(*floats, num_parameters_);
    make_zeros(transposed_, max_rows * widest);
    draw_weights(seed);
}

void TrainableNetwork::draw_weights(std::uint64_t seed) {
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const Shape& shape = layers_[l].shape;
        const float bound = initial_bound(shape);
        const std::span<float> weights(memory_of(parameters_) + layers_[l].weight_at,
                                       static_cast<std::size_t>(shape.inputs * shape.outputs));
        fill_uniform({seed, RandomPurpose::initial_weights, static_cast<std::uint32_t>(l)}, -bound,
                     bound, weights);
    }
    packed_ = false;
}

void TrainableNetwork::pack() {
    if (packed_) return;
    for (TrainableLayer& layer : layers_) {
        layer.weights.pack(memory_of(parameters_) + layer.weight_at, layer.shape.inputs,
                           layer.shape.outputs);
    }
    packed_ = true;
}

float* TrainableNetwork::run(const DenseRows& inputs) {
    pack();
    DenseRows from = inputs;
    for (TrainableLayer& layer : layers_) {
        float* to = memory_of(layer.sums);
        kernels::multiply(from, layer.weights, memory_of(parameters_) + layer.bias_at,
                          layer.shape.activation, to, layer.shape.outputs);
        from = {to, inputs.rows, layer.shape.outputs};
    }
    return memory_of(layers_.back().sums);
}

float* TrainableNetwork::forward(const DenseRows& inputs,
                                 const std::optional<TrainingDropout>& dropout) {
    pack();
    DenseRows from = inputs;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        TrainableLayer& layer = layers_[l];
        kernels::multiply(from, layer.weights, memory_of(parameters_) + layer.bias_at,
                          Activation::identity, memory_of(layer.sums), layer.shape.outputs);
        if (l + 1 == layers_.size()) break;
        activate(layer, inputs.rows);
        if (dropout) drop_units(layer, inputs.rows, l, *dropout);
        from = {memory_of(layer.values), inputs.rows, layer.shape.outputs};
    }
    return memory_of(layers_.back().sums);
}

void TrainableNetwork::activate(TrainableLayer& layer, std::int64_t rows) {
    const std::int64_t count = rows * layer.shape.outputs;
    const ConstArray sums(memory_of(layer.sums), count);
    Array values(memory_of(layer.values), count);
    Array slopes(memory_of(layer.slopes), count);
    switch (layer.shape.activation) {
        case Activation::identity:
            values = sums;
            slopes.setOnes();
            return;
        case Activation::relu:
            values = sums.max(0.0F);
            slopes = (sums > 0.0F).select(Eigen::ArrayXf::Ones(count), 0.0F);
            return;
        case Activation::silu:
            kernels::training_passes().silu(sums.data(), count, values.data(), slopes.data());
            return;
        case Activation::tanh:
            kernels::training_passes().tanh(sums.data(), count, values.data(), slopes.data());
            return;
        case Activation::cosine:
            break;
    }
    throw Error(ExitCode::internal, "a cosine layer cannot be trained");
}

void TrainableNetwork::drop_units(TrainableLayer& layer, std::int64_t rows, std::size_t index,
                                  const TrainingDropout& dropout) {
    const std::int64_t count = rows * layer.shape.outputs;
    const RandomStream stream{dropout.seed, RandomPurpose::training_dropout,
                              dropout.step * max_layers + static_cast<std::uint32_t>(index)};
    float* memory = factors_.reserve(whole_lines(count));
    draw_dropout(stream, dropout.rate, std::span(memory, static_cast<std::size_t>(count)));
    const ConstArray factors(memory, count);
    Array(memory_of(layer.values), count) *= factors;
    Array(memory_of(layer.slopes), count) *= factors;
}

void TrainableNetwork::backward(const DenseRows& inputs) {
    const float* gradients = memory_of(layers_.back().sums);
    for (std::size_t l = layers_.size(); l-- > 0;) {
        TrainableLayer& layer = layers_[l];
        const DenseRows from =
            l == 0 ? inputs
                   : DenseRows{memory_of(layers_[l - 1].values), inputs.rows, layer.shape.inputs};
        gradients_of_weights(layer, from, gradients);
        if (l == 0) break;
        gradients_of_inputs(layer, inputs.rows, gradients, layers_[l - 1]);
        gradients = memory_of(layers_[l - 1].gradients);
    }
}

// d loss / d weight [inputs, outputs] = inputs^T * d loss / d sum; of a bias the sum over rows.
void TrainableNetwork::gradients_of_weights(TrainableLayer& layer, const DenseRows& inputs,
                                            const float* sums) {
    const Shape& shape = layer.shape;
    transpose(inputs, shape.inputs, memory_of(transposed_));
    panels_.pack(sums, inputs.rows, shape.outputs);
    kernels::multiply({memory_of(transposed_), shape.inputs, inputs.rows}, panels_, nullptr,
                      Activation::identity, memory_of(gradients_) + layer.weight_at, shape.outputs);
    Array bias(memory_of(gradients_) + layer.bias_at, shape.outputs);
    bias = ConstArray(sums, shape.outputs);
    for (std::int64_t i = 1; i < inputs.rows; ++i)
        bias += ConstArray(sums + i * shape.outputs, shape.outputs);
}

void TrainableNetwork::gradients_of_inputs(TrainableLayer& layer, std::int64_t rows,
                                           const float* sums, TrainableLayer& below) {
    const Shape& shape = layer.shape;
    panels_.pack_transposed(memory_of(parameters_) + layer.weight_at, shape.inputs, shape.outputs);
    kernels::multiply({sums, rows, shape.outputs}, panels_, nullptr, Activation::identity,
                      memory_of(below.gradients), shape.inputs);
    const std::int64_t count = rows * shape.inputs;
    Array(memory_of(below.gradients), count) *= ConstArray(memory_of(below.slopes), count);
}

void TrainableNetwork::update(const kernels::AdamRates& rates) {
    const kernels::TrainingPasses& passes = kernels::training_passes();
    float* weights = memory_of(parameters_);
    float* gradients = memory_of(gradients_);
    float* means = memory_of(means_);
    float* squares = memory_of(squares_);
    passes.adam(rates, {weights, means, squares, gradients}, num_weights_);
    kernels::AdamRates of_biases = rates;
    of_biases.keep = 1.0F;
    of_biases.penalty = 0.0F;
    passes.adam(of_biases,
                {weights + num_weights_, means + num_weights_, squares + num_weights_,
                 gradients + num_weights_},
                num_parameters_ - num_weights_);
    packed_ = false;
}

void TrainableNetwork::keep_weights(std::vector<float>& kept) {
    const float* weights = memory_of(parameters_);
    kept.assign(weights, weights + num_parameters_);
}

void TrainableNetwork::set_weights(const std::vector<float>& kept) {
    std::copy(kept.begin(), kept.end(), memory_of(parameters_));
    packed_ = false;
}

std::vector<Layer> TrainableNetwork::layers() {
    std::vector<Layer> result;
    for (const TrainableLayer& trained : layers_) {
        const Shape& shape = trained.shape;
        Layer& layer =
            result.emplace_back(Layer{shape.inputs, shape.outputs, shape.activation, {}, {}});
        layer.weight.resize(static_cast<std::size_t>(shape.inputs * shape.outputs));
        transpose({memory_of(parameters_) + trained.weight_at, shape.inputs, shape.outputs},
                  shape.outputs, layer.weight.data());
        const float* bias = memory_of(parameters_) + trained.bias_at;
        layer.bias.assign(bias, bias + shape.outputs);
    }
    return result;
}

std::vector<float> TrainableNetwork::gradients(std::size_t layer) {
    const TrainableLayer& trained = layers_.at(layer);
    const float* weight = memory_of(gradients_) + trained.weight_at;
    std::vector<float> result(weight, weight + trained.shape.inputs * trained.shape.outputs);
    const float* bias = memory_of(gradients_) + trained.bias_at;
    result.insert(result.end(), bias, bias + trained.shape.outputs);
    return result;
}

}  // namespace sluice::model
