#pragma once

#include "campaign/campaign_spec.hpp"
#include "comm/communicator.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sluice::campaign {

/// What `sluice run` was asked for.
struct RunRequest {
    enum class Mode { run, dry_run };

    std::string campaign_path;
    std::optional<std::int64_t> rounds;  ///< in place of [campaign] rounds
    MachineSpec machine;
    Mode mode = Mode::run;
};

/// Runs a campaign from where it stands to its end: rounds of select, label, ingest, train,
/// evaluate, decide, in each arm, and prints what each round came to on rank 0's stdout. Killed at
/// any instant and run again it goes on; the final files are those of a run that was never
/// interrupted (see Arm for what of them may differ), on any number of ranks.
/// Throws AgreedError: try_again when labels are pending outside or after a stop signal; bad_config
/// for a campaign file that is wrong or has changed what is done; bad_data and others for what
/// cannot be gone on with: the state is intact then. \collective
void run_campaign(const RunRequest& request, comm::Communicator& world);

}  // namespace sluice::campaign
