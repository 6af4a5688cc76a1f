#pragma once

#include "campaign/campaign_context.hpp"
#include "campaign/campaign_history.hpp"

#include <cstdint>
#include <string>

namespace sluice::campaign {

/// What a complete round came to, for people: labels, cost, metrics of the active and the random
/// arm, uncertainty, agreement, seconds.
std::string round_text(const CampaignContext& context, std::int64_t round);

/// Which step of a round that is not complete comes next, by the files that are missing.
std::string next_step(const CampaignContext& context, std::int64_t round);

/// Why it ends when a budget does not pay for another batch.
std::string unpaid_text(const CampaignSpec& spec);

/// Why the campaign ended and where everything lies.
std::string end_text(const CampaignContext& context, std::int64_t round, const std::string& reason);

/// `--dry-run`: the configuration with defaults, what each stored round says to the stop rules,
/// where the campaign stands and what comes next.
std::string dry_run_text(const CampaignContext& context);

}  // namespace sluice::campaign
