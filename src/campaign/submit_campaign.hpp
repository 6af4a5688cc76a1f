#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What `sluice submit` was asked for.
struct SubmitRequest {
    enum class Mode { submit, dry_run };

    std::string campaign_path;
    std::string jobs_directory;              ///< holds campaign.sbatch and label.sbatch
    std::string oracle_path;                 ///< in place of the campaign's; may be empty
    std::int64_t num_tasks = 4;              ///< of the array that labels
    std::vector<std::string> run_options;    ///< for sbatch, of jobs that run the campaign
    std::vector<std::string> label_options;  ///< for sbatch, of jobs that label
    std::vector<std::string> again;          ///< the words that ask for the same once more
    Mode mode = Mode::submit;
};

/// The next links of a campaign's chain of jobs, by where its files stand: one that runs it, after
/// arrays of workers on each queue with items that wait outside. The last link calls this again.
/// Returns what was submitted (what would be), a line a job, or why nothing was: a stop rule holds,
/// people are waited for, a job of the campaign is in Slurm already. A job that waits for one that
/// Slurm has lost is cancelled first.
/// Throws as submit_job(), and Error(try_again) when the campaign has stood still for several
/// links.
std::string submit_campaign(const SubmitRequest& request);

}  // namespace sluice::campaign
