#pragma once

#include "campaign/campaign_context.hpp"
#include "campaign/round_files.hpp"
#include "campaign/stop_rules.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// One line of a campaign's curves.
struct CurvePoint {
    std::string arm;
    RoundRecord record;
};

/// The stored record of a complete round of the campaign's own arm, with the recorded seconds of
/// all rounds up to it; nothing if the round is not complete.
std::optional<RoundRecord> stored_record(const CampaignContext& context, std::int64_t round);

/// The records of all complete rounds, in order: what stop rules judge. A function of the files
/// alone, so the rules stop at the same round whenever they are asked.
std::vector<RoundRecord> stored_history(const CampaignContext& context);

/// Every arm's records of complete rounds, round by round, arms in their order. Arms share the
/// rounds before there is a model; they appear in each.
std::vector<CurvePoint> stored_curve(const CampaignContext& context);

/// curve.csv: header `round,arm,labels,cost,...` with every metric that occurs, then uncertainty,
/// kappa, delta_f and change; empty where a round has no such value.
std::string curve_csv(const std::vector<CurvePoint>& points);

}  // namespace sluice::campaign
