#pragma once

#include "kernels/activation.hpp"
#include "kernels/backend.hpp"
#include "kernels/score_rows.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sluice::kernels {

/// One fully connected layer: out[o] = activation(bias[o] + sum over k of weight[o][k] in[k]).
struct DenseLayer {
    std::int64_t inputs = 0;
    std::int64_t outputs = 0;
    const float* weight = nullptr;  ///< [outputs, inputs], row-major
    const float* bias = nullptr;    ///< [outputs]
    Activation activation = Activation::identity;
};

/// What a committee computes from a row of features, as views of memory the caller owns.
struct NetworkDefinition {
    std::int64_t dim = 0;      ///< D, features of a row
    std::int64_t outputs = 0;  ///< C classes, or T components of a prediction (2 T with variances)
    std::vector<float> input_offset;  ///< [D] or empty: (x - offset) * factor goes into the nets
    std::vector<float> input_factor;  ///< [D] or empty
    std::vector<std::vector<DenseLayer>> members;  ///< [M][layers]
    std::vector<float> output_factor;  ///< [outputs] or empty: out = fma(net, factor, offset)
    std::vector<float> output_offset;  ///< [outputs] or empty
    /// Where the outputs begin that are the logarithms of variances and leave as variances,
    /// e^out * factor^2 of their prediction; `outputs` = none do.
    std::int64_t first_variance = 0;
    ScoreInput output = ScoreInput::committee_logits;  ///< what the outputs are for a score
};

/// A committee ready to run: weights copied and laid out for the back end. Immutable, so any number
/// of threads may call it.
class CommitteeNetwork {
  public:
    virtual ~CommitteeNetwork() = default;

    /// out [rows, M, outputs] = what the members say of `features` [rows, D], in canonical
    /// arithmetic: the same bits on every back end, instruction set and block size. All outputs of
    /// a row with a feature that is not finite are NaN.
    virtual void run(const float* features, std::int64_t rows, float* out) const = 0;

    std::int64_t dim() const { return dim_; }
    std::int64_t members() const { return members_; }
    std::int64_t outputs() const { return outputs_; }
    ScoreInput output() const { return output_; }

  protected:
    explicit CommitteeNetwork(const NetworkDefinition& definition);

  private:
    std::int64_t dim_;
    std::int64_t members_;
    std::int64_t outputs_;
    ScoreInput output_;
};

/// Throws Error(bad_data) if the layers do not fit each other, `dim` or `outputs`.
std::shared_ptr<const CommitteeNetwork> make_committee_network(Backend backend,
                                                               const NetworkDefinition& definition);

/// The scorer that reads features (ScoreInput::features, block.classes = D) and scores what the
/// committee says of them: one pass, the outputs of a few rows at a time stay in cache (on the GPU:
/// of a block in device memory). A row whose features or outputs are not finite gets NaN.
/// Throws Error(usage) if the score cannot be computed from what the committee says.
std::unique_ptr<Scorer> make_committee_scorer(Backend backend,
                                              std::shared_ptr<const CommitteeNetwork> network,
                                              const ScoreDefinition& definition);

}  // namespace sluice::kernels
