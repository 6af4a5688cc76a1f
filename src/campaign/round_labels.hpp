#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::campaign {

/// How far the items of one batch are.
struct BatchProgress {
    std::int64_t open = 0;      ///< queued or leased
    std::int64_t waiting = 0;   ///< finished, not ingested
    std::int64_t finished = 0;  ///< ingested, failed for good, cancelled or lost
};

/// Looks at every item of a published batch. Throws Error(bad_data) naming a result file that is
/// damaged.
BatchProgress batch_progress(const std::string& queue_directory, const std::string& batch_id);

/// labels.csv of a batch that has no open item: header `rank,row,status,id,y...`, one line for each
/// item in selection order; `status` is ok, nonconverged, invalid, timeout, oracle_error, cancelled
/// or lost; labels come from the generations and read back to the same bits. A function of what the
/// oracle said alone. Throws Error(bad_data) for a damaged queue.
std::string labels_csv(const std::string& queue_directory, const std::string& labels_directory,
                       const std::string& batch_id);

/// The header alone: what a round without a batch has.
std::string empty_labels_csv();

/// How many of its items have a label, and how many have none. `path` is for messages.
struct LabelCounts {
    std::int64_t ok = 0;
    std::int64_t failed = 0;
};
LabelCounts count_labels(std::string_view csv, const std::string& path);

/// The rows of the items without a label.
std::vector<std::int64_t> failed_rows(std::string_view csv, const std::string& path);

}  // namespace sluice::campaign
