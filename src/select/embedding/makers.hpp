#pragma once

#include "kernels/committee_network.hpp"
#include "kernels/score_rows.hpp"
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

}  // namespace sluice::select
