#pragma once

#include "kernels/aligned_floats.hpp"
#include "kernels/dense.hpp"
#include "kernels/training_passes.hpp"
#include "model/committee.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace sluice::model {

/// The most layers of a net, so that each has its own random numbers.
inline constexpr std::uint32_t max_layers = 64;

/// Dropout of hidden units while training.
struct TrainingDropout {
    float rate = 0.0F;
    std::uint64_t seed = 0;  ///< the member's
    std::uint32_t step = 0;
};

/// A net with what backpropagation and Adam need, in memory that is allocated once. Weights are
/// kept as [inputs, outputs], which is how matrix products want to read them.
class TrainableNetwork {
  public:
    struct Shape {
        std::int64_t inputs = 0;
        std::int64_t outputs = 0;
        kernels::Activation activation = kernels::Activation::identity;
    };

    /// At most `max_rows` rows at a time. Weights are drawn from `seed`, biases are 0: uniform with
    /// variance 2 / inputs before relu and silu (\source He et al., ICCV 2015), else
    /// 2 / (inputs + outputs) (\source Glorot and Bengio, AISTATS 2010).
    TrainableNetwork(const std::vector<Shape>& shapes, std::int64_t max_rows, std::uint64_t seed);

    /// What it says of `inputs`: [rows, outputs]; valid until the next call, and may be changed.
    float* run(const kernels::DenseRows& inputs);

    /// The same, keeping what backward() needs.
    float* forward(const kernels::DenseRows& inputs, const std::optional<TrainingDropout>& dropout);

    /// After forward(): the gradients of all weights, given those of the outputs in the memory that
    /// forward() returned.
    void backward(const kernels::DenseRows& inputs);

    /// One step of Adam; biases are neither shrunk nor penalised.
    void update(const kernels::AdamRates& rates);

    /// All weights and biases, as one block to keep and to put back.
    void keep_weights(std::vector<float>& kept);
    void set_weights(const std::vector<float>& kept);

    /// The net with weights as [outputs, inputs].
    std::vector<Layer> layers();

    /// A layer's gradients after backward(), weights [inputs, outputs] then biases; for tests.
    std::vector<float> gradients(std::size_t layer);

  private:
    struct TrainableLayer {
        Shape shape;
        std::int64_t weight_at = 0;  ///< in the parameter memory
        std::int64_t bias_at = 0;
        kernels::DensePanels weights;  ///< for the way forward
        kernels::AlignedFloats sums;   ///< [rows, outputs]
        kernels::AlignedFloats values;
        kernels::AlignedFloats slopes;     ///< d value / d sum, dropout included
        kernels::AlignedFloats gradients;  ///< d loss / d sum
    };

    void draw_weights(std::uint64_t seed);
    void pack();
    void activate(TrainableLayer& layer, std::int64_t rows);
    void drop_units(TrainableLayer& layer, std::int64_t rows, std::size_t index,
                    const TrainingDropout& dropout);
    void gradients_of_weights(TrainableLayer& layer, const kernels::DenseRows& inputs,
                              const float* sums);
    void gradients_of_inputs(TrainableLayer& layer, std::int64_t rows, const float* sums,
                             TrainableLayer& below);

    std::vector<TrainableLayer> layers_;
    std::int64_t num_weights_ = 0;     ///< of all layers, before the biases
    std::int64_t num_parameters_ = 0;  ///< weights and biases, each layer's on its own cache lines
    kernels::AlignedFloats parameters_;
    kernels::AlignedFloats gradients_;
    kernels::AlignedFloats means_;
    kernels::AlignedFloats squares_;
    kernels::AlignedFloats transposed_;
    kernels::AlignedFloats factors_;
    kernels::DensePanels panels_;
    bool packed_ = false;  ///< whether the panels of all layers hold the weights
};

}  // namespace sluice::model
