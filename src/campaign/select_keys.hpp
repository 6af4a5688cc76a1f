#pragma once

#include "campaign/campaign_keys.hpp"

#include <vector>

namespace sluice::campaign {

/// Keys of [select]: how batches are chosen once there is a model.
std::vector<CampaignKey> select_keys();

/// Keys of [pseudo].
std::vector<CampaignKey> pseudo_keys();

}  // namespace sluice::campaign
