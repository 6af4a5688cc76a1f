#pragma once

#include "campaign/json_node.hpp"
#include "select/class_mix.hpp"

namespace sluice::campaign {

/// What a strategy BALANCE asks for: shares of the values of a column (METADATA) or of the
/// predicted classes (PREDICTIONS); its strength is the weight that it has beside other ones.
/// Throws Error(bad_config) naming the key.
select::Balance read_balance(const JsonNode& input, const JsonNode& strategy);

}  // namespace sluice::campaign
