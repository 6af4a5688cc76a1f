#pragma once

#include "campaign/campaign_spec.hpp"
#include "campaign/slurm.hpp"
#include "campaign/stop_rules.hpp"
#include "queue/status.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// One round, as far as its files tell.
struct RoundStatus {
    std::int64_t round = 0;
    std::string batch;                  ///< id; empty if nothing is chosen yet
    std::int64_t chosen = 0;            ///< rows
    std::optional<RoundRecord> record;  ///< of a complete round
    std::string text;                   ///< for people, its end of line included
};

/// Where a campaign stands by its files: half-written and damaged ones give what is there.
struct CampaignStatus {
    enum class Next {
        run,     ///< `sluice run` has something to do
        label,   ///< items wait in queues for workers or people
        nothing  ///< a stop rule holds
    };

    std::string path;
    std::optional<CampaignSpec> spec;  ///< nothing if the campaign file cannot be read
    std::vector<RoundStatus> rounds;
    std::map<std::string, queue::QueueStatus> queues;  ///< by directory
    std::map<std::string, std::int64_t> open_items;    ///< directory -> queued or leased, if any
    Next next = Next::run;
    std::string next_text;             ///< `round 3: next: train`, or why the campaign has ended
    std::vector<std::string> damaged;  ///< what cannot be read, and why
    std::optional<std::vector<SlurmJob>> slurm_jobs;  ///< nothing: not asked, or Slurm is silent
};

/// The path of a campaign's file, given that or its directory. Throws Error(no_input) if there is
/// none.
std::string campaign_file_of(const std::string& file_or_directory);

/// Looks; changes nothing, waits for nobody and may be called while the campaign runs.
CampaignStatus look_at_campaign(const std::string& campaign_path);

/// For people, and as one JSON object.
std::string status_text(const CampaignStatus& status);
std::string status_json(const CampaignStatus& status);

}  // namespace sluice::campaign
