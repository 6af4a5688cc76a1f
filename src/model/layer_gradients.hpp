#pragma once

#include "kernels/aligned_floats.hpp"
#include "kernels/dense.hpp"
#include "model/committee.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::model {

/// What the gradient of a number by the weights of one layer is made of, for some rows: the
/// weights' part [inputs, outputs] is the outer product of `reads` and `slopes`, the biases' is
/// `slopes`.
struct LayerGradient {
    kernels::AlignedFloats reads;   ///< [rows, inputs] what the layer reads
    kernels::AlignedFloats slopes;  ///< [rows, outputs] the number's gradient by the layer's sums
};

/// Backpropagation through a trained net, row by row in canonical arithmetic. Immutable, so any
/// number of threads may call it.
class LayerGradients {
  public:
    explicit LayerGradients(const Network& net);

    /// Inputs and outputs of the layers that are trained, the lowest first: all from the one above
    /// the last fixed `cosine` layer on.
    struct Shape {
        std::int64_t inputs = 0;
        std::int64_t outputs = 0;
    };
    static std::vector<Shape> shapes_of(const Network& net);
    const std::vector<Shape>& shapes() const { return shapes_; }

    /// Of `rows` rows of (normalised) inputs, one for each of shapes(). The number is the sum of
    /// errors [rows, outputs of the net] times outputs.
    std::vector<LayerGradient> of(const float* inputs, std::int64_t rows,
                                  std::span<const float> errors) const;

    std::int64_t memory_bytes() const;

    /// Memory that of() takes for each row.
    std::int64_t row_bytes() const;

  private:
    struct Packed {
        kernels::DensePanels up;    ///< [inputs, outputs]
        kernels::DensePanels down;  ///< [outputs, inputs]
        std::vector<float> bias;
        kernels::Activation activation = kernels::Activation::identity;
    };

    std::vector<Packed> layers_;
    std::vector<Shape> shapes_;
    std::size_t first_trained_;
};

}  // namespace sluice::model
