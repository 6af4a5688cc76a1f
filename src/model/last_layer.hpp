#pragma once

#include "kernels/backend.hpp"
#include "kernels/committee_network.hpp"
#include "model/committee.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace sluice::model {

/// What gradients of a committee's last layers are made of: of its trained nets, without dropout.
struct LastLayer {
    /// [rows, M, H] what the last layers read: the last hidden layers' values, or the (normalised)
    /// features of linear heads.
    std::shared_ptr<const kernels::CommitteeNetwork> hidden;
    /// [rows, M, C] what the nets say; null for a regression, where an output's gradient by the
    /// last layer's weights does not depend on it.
    std::shared_ptr<const kernels::CommitteeNetwork> outputs;
};

/// Throws Error(bad_data) if the layers do not fit, or if members' last layers read different
/// numbers of values; `where` (the model's path) begins the message.
LastLayer last_layer(const Committee& committee, kernels::Backend backend,
                     const std::string& where);

}  // namespace sluice::model
