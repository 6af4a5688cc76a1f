#pragma once

#include "campaign/campaign_spec.hpp"

#include <cstdint>
#include <string>

namespace sluice::campaign {

/// A batch that waits for labels, and where they go.
struct WaitingBatch {
    std::string queue_directory;
    std::string labels_directory;
    std::string batch_id;
    std::string record;  ///< path of its labels.csv
};

/// Takes what is in the queue into the labels. Returns how many items of the batch wait for a
/// result; if none does, its record is written, once. Local. Throws what ingest() throws, and
/// Error(permission|bad_data) for result files that cannot be taken.
std::int64_t settle_batch(const WaitingBatch& batch, const LabelSpec& label);

/// How many items of the batch wait for a result, without taking any; 0 if its record is there.
std::int64_t num_waiting(const WaitingBatch& batch);

}  // namespace sluice::campaign
