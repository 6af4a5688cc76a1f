#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// A job as squeue tells of it.
struct SlurmJob {
    std::string id;                      ///< `12`, or `12_3` for a task of an array
    std::string name;                    ///< see slurm_names()
    std::string state;                   ///< `PENDING`, `RUNNING`, ...
    std::string place;                   ///< nodes, or why it waits
    std::vector<std::string> lost = {};  ///< ids it waits for that are no jobs of the campaign
};

/// The names of a campaign's jobs: by its path, so that two campaigns never meet.
struct SlurmNames {
    std::string run;
    std::string label;
};
SlurmNames slurm_names(const std::string& campaign_path);

/// The jobs of a campaign that wait or run; nothing if squeue does not answer within seconds or is
/// not there. A hint: files alone say what is done. A controller that was killed forgets what was
/// submitted last and gives its numbers again: a job that waits for such a number waits for nothing
/// or for somebody else's job.
std::optional<std::vector<SlurmJob>> slurm_jobs(const SlurmNames& names);

/// Calls sbatch and returns the job's number. The job gets this process's environment without what
/// a job around it has set (SLURM_*; SLURM_CONF stays), and `more`. Throws Error(unavailable)
/// without sbatch, Error(try_again) if the controller does not answer, Error(bad_config) with
/// sbatch's own words if it refuses.
std::string submit_job(const std::vector<std::string>& words,
                       const std::map<std::string, std::string>& more);

/// Cancels jobs of a campaign that wait, and returns when Slurm has none of them left. Throws
/// Error(try_again) if that takes longer than half a minute, or one of them has begun to run.
void cancel_waiting(const std::vector<std::string>& ids, const SlurmNames& names);

}  // namespace sluice::campaign
