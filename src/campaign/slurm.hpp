#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// A job as squeue tells of it.
struct SlurmJob {
    std::string id;     ///< `12`, or `12_3` for a task of an array
    std::string name;   ///< see slurm_names()
    std::string state;  ///< `PENDING`, `RUNNING`, ...
    std::string place;  ///< nodes, or why it waits
};

/// The names of a campaign's jobs: by its path, so that two campaigns never meet.
struct SlurmNames {
    std::string run;
    std::string label;
};
SlurmNames slurm_names(const std::string& campaign_path);

/// The jobs of a campaign that Slurm still knows; nothing if squeue does not answer within seconds
/// or is not there. A hint: files alone say what is done.
std::optional<std::vector<SlurmJob>> slurm_jobs(const SlurmNames& names);

/// Calls sbatch and returns the job's number. The job gets this process's environment without what
/// a job around it has set (SLURM_*; SLURM_CONF stays), and `more`. Throws Error(unavailable)
/// without sbatch, Error(try_again) if the controller does not answer, Error(bad_config) with
/// sbatch's own words if it refuses.
std::string submit_job(const std::vector<std::string>& words,
                       const std::map<std::string, std::string>& more);

}  // namespace sluice::campaign
