#pragma once

#include "kernels/committee_network.hpp"

#include <cstddef>
#include <memory>

namespace sluice::kernels {

/// make_committee_network for one back end, of a definition that has been checked.
std::shared_ptr<const CommitteeNetwork> make_committee_network_cpu(
    const NetworkDefinition& definition);

/// Throws Error(unavailable) in a build without CUDA, or if the device fails.
std::shared_ptr<const CommitteeNetwork> make_committee_network_cuda(
    const NetworkDefinition& definition);

}  // namespace sluice::kernels
