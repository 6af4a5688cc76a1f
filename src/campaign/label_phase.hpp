#pragma once

#include "campaign/campaign_spec.hpp"
#include "comm/communicator.hpp"
#include "oracle/spec.hpp"

#include <string>

namespace sluice::campaign {

/// Runs the campaign's oracle on a queue until nothing is left to label. Every rank takes its share
/// of the workers, side by side with workers of other jobs. A rank that finds nothing to do sleeps
/// until the others are done, takes back what was lost, and works on if there is more.
/// Throws AgreedError: try_again after a stop signal or at the end of the walltime, unavailable if
/// the oracle fails all alike; finished items are handed in then. \collective
void label_inside(const LabelSpec& label, const oracle::Spec& oracle,
                  const std::string& queue_directory, comm::Communicator& world);

}  // namespace sluice::campaign
