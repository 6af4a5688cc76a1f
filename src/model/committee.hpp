#pragma once

#include "kernels/activation.hpp"
#include "kernels/backend.hpp"
#include "kernels/committee_network.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::model {

enum class Task { classification, regression };

/// "classification" or "regression".
std::string_view task_name(Task task);

/// A fully connected layer that owns its numbers.
struct Layer {
    std::int64_t inputs = 0;
    std::int64_t outputs = 0;
    kernels::Activation activation = kernels::Activation::identity;
    std::vector<float> weight;  ///< [outputs, inputs], row-major, as in PyTorch
    std::vector<float> bias;    ///< [outputs]
};

/// A multilayer perceptron; a linear head is one layer, an RBF-feature head a fixed `cosine` layer
/// and a linear one. Classification ends in C logits (for hinge heads: decision values), regression
/// in T predictions or, with a predicted variance, in T predictions and T logarithms of variances.
struct Network {
    std::vector<Layer> layers;
};

/// How numbers were brought to mean 0 and variance 1 before training: (x - mean) / scale.
struct Normalization {
    std::vector<float> mean;   ///< [D] or [T]; empty: none
    std::vector<float> scale;  ///< the same; > 0
};

/// A committee drawn from each trained net by dropping hidden units, the same for a whole pool.
/// Mask m keeps unit u of hidden layer l of net n if its random number, a function of
/// (seed, n, m, l, u) alone, is >= rate; kept units are multiplied by 1 / (1 - rate).
/// \source Ducoffe and Precioso, "QBDC: Query by dropout committee", 2015: masks drawn once for the
///         batch; scaling as in Srivastava et al., JMLR 15 (2014), "inverted dropout".
struct Dropout {
    std::int64_t masks = 0;  ///< M
    float rate = 0.5F;       ///< in [0, 1)
    std::uint64_t seed = 0;
};

/// What training one member came to.
struct MemberHistory {
    std::vector<float> training_loss;    ///< [epochs] mean over its training part
    std::vector<float> validation_loss;  ///< [epochs] over its held-out part; empty without one
    std::int64_t best_epoch = 0;         ///< the epoch whose weights were kept, from 0
};

/// How well probabilities fit what happened, on the held-out labels.
struct Calibration {
    double error_before = 0.0;  ///< expected calibration error at temperature 1
    double error = 0.0;         ///< after dividing logits by the temperature
    std::int64_t rows = 0;      ///< held-out labels; 0 = not fitted
};

/// Trained nets and what belongs to them: all that a model file holds.
struct Committee {
    Task task = Task::classification;
    std::int64_t dim = 0;      ///< D
    std::int64_t outputs = 0;  ///< C classes or T components, without variances
    bool predicts_variance = false;
    Normalization input;
    Normalization target;      ///< regression only
    float temperature = 1.0F;  ///< logits are divided by it; classification only
    std::vector<Network> networks;
    std::optional<Dropout> dropout;
    std::vector<std::string> target_names;  ///< [T], or empty
    std::vector<std::string> target_units;  ///< [T], or empty
    std::vector<MemberHistory> history;     ///< [networks], or empty
    Calibration calibration;
    std::string provenance;  ///< JSON object: options, seed, labels, version
    /// Nets that say the logarithm of the loss the others would make of a row; null: none. See
    /// model/loss_head.hpp.
    std::shared_ptr<const Committee> loss_head;
    std::int64_t loss_folds = 0;  ///< that its losses come from

    /// M as a score sees it: networks, times masks with dropout.
    std::int64_t num_members() const;
};

/// The members as plain nets: one for each network, or one for each network and dropout mask, the
/// mask folded into the weights that read the masked units.
std::vector<Network> member_networks(const Committee& committee);

/// Ready to run on a back end. Temperature and normalisations are applied. Throws Error(bad_data)
/// if the layers do not fit; `where` (the model's path) begins the message.
std::shared_ptr<const kernels::CommitteeNetwork> run_network(const Committee& committee,
                                                             kernels::Backend backend,
                                                             const std::string& where);

}  // namespace sluice::model
