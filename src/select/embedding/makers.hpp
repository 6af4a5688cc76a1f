#pragma once

#include "kernels/committee_network.hpp"
#include "kernels/score_rows.hpp"
#include "model/committee.hpp"
#include "model/last_layer.hpp"
#include "select/embedding/embedder.hpp"
#include "select/embedding/sketch.hpp"

#include <cstdint>
#include <memory>

/// The embeddings of rows, each in a file of its name.
namespace sluice::select {

/// What members say of a row, [M, outputs].
struct Sayings {
    /// Says it of features; null: the values embedded are what they say.
    std::shared_ptr<const kernels::CommitteeNetwork> network;
    kernels::ScoreInput input = kernels::ScoreInput::none;
    std::int64_t members = 0;
    std::int64_t outputs = 0;

    /// How many numbers of each member count: the outputs, without variances.
    std::int64_t counted() const {
        return input == kernels::ScoreInput::gaussian_predictions ? outputs / 2 : outputs;
    }
};

/// (f_m(x) - mean over m) / sqrt(M), number (m, t) at m T + t: its inner products are the
/// committee's empirical covariance, summed over the outputs (class probabilities, or predictions).
/// \source Kirsch, "Black-Box Batch Active Learning for Regression", TMLR 2023, section 4.
std::unique_ptr<Embedder> covariance_embedder(Sayings sayings, Sketch sketch);

/// How many numbers last-layer gradients have.
std::int64_t gradient_size(const model::LastLayer& layer);

/// The gradient of the loss by the last layer's weights and biases, if the most probable class were
/// the label (p - onehot) (x) (h, 1), number (m, d, c) at (m (H + 1) + d) C + c; of a regression,
/// the prediction's, (h, 1), the same for each output. Over sqrt(M).
/// \source Ash et al., "Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds"
///         (BADGE), ICLR 2020, equation 1; Holzmueller et al., JMLR 24(164), 2023, section 4.2
///         (last-layer gradients of a regression), 4.4 (sketches).
std::unique_ptr<Embedder> gradient_embedder(model::LastLayer layer, Sketch sketch);

/// From how many numbers to how many; the same number: as they are.
struct SketchLength {
    std::int64_t from = 0;
    std::int64_t to = 0;
    std::uint64_t seed = 0;
};

/// How many numbers gradients by all layers have.
std::int64_t all_gradients_size(const model::Committee& committee);

/// The gradient of the same loss, or of the sum of a regression's (normalised) predictions, by the
/// weights and biases of all trained layers, number (m, l, d, c) in this order, d the layer's
/// inputs and then the 1 that its bias reads. Weights are parametrised as small numbers over the
/// root of the layer's inputs, whatever they were trained as. Over sqrt(M). `outputs` is what
/// LastLayer::outputs is.
/// \source Holzmueller et al., JMLR 24(164), 2023, section 4.2 (the finite-width neural tangent
///         kernel), 4.4 (its sketches: ProductSketch).
std::unique_ptr<Embedder> all_gradients_embedder(
    const model::Committee& committee, std::shared_ptr<const kernels::CommitteeNetwork> outputs,
    SketchLength length);

}  // namespace sluice::select
