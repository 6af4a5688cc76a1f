#pragma once

#include "pool/check.hpp"
#include "pool/check_values.hpp"

#include <vector>

namespace sluice::pool {

/// A dataset's tallies in words. Reads the named rows again for their values, so one rank calls it
/// and passes the text on.
std::vector<Finding> describe_tallies(const Dataset& dataset, const Tallies& tallies);

}  // namespace sluice::pool
