#pragma once

#include "model/train.hpp"
#include "model/training_set.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace sluice::model {

/// What training minimises: the mean of a loss over rows. Canonical arithmetic, sums over rows in
/// their order.
class Loss {
  public:
    virtual ~Loss() = default;

    /// Numbers a net says of a row: C, or 1 for two classes under hinge; T, or 2 T under gaussian.
    virtual std::int64_t outputs() const = 0;

    /// The sum of the losses of `entries` (of the training set), of which the net says `said`
    /// [entries, outputs], on cache lines of its own. It is overwritten by the gradient of their
    /// mean.
    virtual double measure(std::span<const std::int64_t> entries, float* said) const = 0;
};

/// `set` and `targets`, the normalised targets [L, T] of a regression, must outlive the loss.
std::unique_ptr<Loss> make_loss(Head head, const TrainingSet& set, std::span<const float> targets);

}  // namespace sluice::model
