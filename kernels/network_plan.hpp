#pragma once

#include "kernels/committee_network.hpp"

#include <cstdint>
#include <vector>

namespace sluice::kernels {

/// A matrix product of a committee's forward pass: one layer, or several that read the same values,
/// side by side as one.
struct NetworkStep {
    /// Where what the committee says is collected, member after member, instead of a level.
    static constexpr std::int64_t outputs_level = -1;

    std::int64_t from_level = 0;
    std::int64_t from_column = 0;
    std::int64_t to_level = 0;
    std::int64_t to_column = 0;
    std::vector<DenseLayer> layers;  ///< of the same inputs and activation

    std::int64_t inputs() const { return layers.front().inputs; }
    std::int64_t outputs() const;
    Activation activation() const { return layers.front().activation; }
    std::vector<float> weight() const;  ///< [outputs, inputs]
    std::vector<float> bias() const;    ///< [outputs]
};

/// The order in which a committee's layers run, the same for every back end. Level 0 holds the
/// normalised features, level i what a member's layer i - 1 gives. Layers with which several
/// members begin alike, bit for bit, run once; members follow each other depth first, so that a
/// level need only hold a few layers at a time.
struct NetworkPlan {
    std::vector<std::int64_t> widths;  ///< values of a row in each level
    std::vector<NetworkStep> steps;
};

/// Points into the definition's weights.
NetworkPlan plan_network(const NetworkDefinition& definition);

}  // namespace sluice::kernels
