#pragma once

#include "campaign/campaign_spec.hpp"
#include "report/report_data.hpp"

#include <optional>
#include <string>

namespace sluice::report {

/// Where a campaign is, and what its file says.
struct CampaignPlace {
    std::string directory;
    std::string file;  ///< path of its INI file
    std::string text;  ///< of the file; empty if it cannot be read
};

/// Finds a campaign by its directory or by its INI file. Throws Error(no_input) if there is neither
/// a campaign.ini nor a round. Local.
CampaignPlace find_campaign(const std::string& path);

/// Reads every round of every arm; what is missing or damaged becomes a gap. Looks only. Local.
void read_rounds(const CampaignPlace& place, ReportData& data);

/// The round of that number, or null.
const RoundView* find_round(const ArmView& arm, std::int64_t round);

/// The last round of the campaign's own arm that has chosen rows, or null.
const RoundView* last_batch(const ReportData& data);

}  // namespace sluice::report
