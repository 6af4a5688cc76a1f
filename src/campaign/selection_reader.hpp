#pragma once

#include "campaign/selection_file.hpp"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace sluice::campaign {

/// What the strategies of a LightlyOne selection come to together. `path` is what messages call the
/// file. Throws Error(bad_config) naming the key.
SelectionFile read_strategies(const nlohmann::ordered_json& json, const std::string& path);

}  // namespace sluice::campaign
