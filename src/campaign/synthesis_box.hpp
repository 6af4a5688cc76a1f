#pragma once

#include "campaign/synthesize.hpp"
#include "comm/communicator.hpp"
#include "select/input_box.hpp"

#include <string>

namespace sluice::campaign {

/// What messages call the request's ranges.
std::string ranges_name(const SynthesisRequest& request);

/// The box of a request: read from its CSV file or declared by a pool; without either, the box that
/// the features of the pool to snap to lie in. Throws AgreedError. \collective
select::InputBox read_synthesis_box(const SynthesisRequest& request, comm::Communicator& world);

}  // namespace sluice::campaign
