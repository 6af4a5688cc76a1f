#pragma once

#include "campaign/campaign_file.hpp"
#include "campaign/campaign_spec.hpp"

namespace sluice::campaign {

/// Each reads one section of a campaign file into the spec; in this order, as later ones look at
/// what earlier ones have read. Throw Error(bad_config) with line and column.
void read_campaign_section(const CampaignFile& file, CampaignSpec& spec);
void read_pool_section(const CampaignFile& file, CampaignSpec& spec);
void read_select_section(const CampaignFile& file, CampaignSpec& spec);
void read_start_section(const CampaignFile& file, CampaignSpec& spec);
void read_model_section(const CampaignFile& file, CampaignSpec& spec);
void read_pseudo_section(const CampaignFile& file, CampaignSpec& spec);
void read_label_section(const CampaignFile& file, CampaignSpec& spec);
void read_test_section(const CampaignFile& file, CampaignSpec& spec);
void read_stop_section(const CampaignFile& file, CampaignSpec& spec);

}  // namespace sluice::campaign
