#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::queue {

/// One issued batch: the content of order/NNNNNN.
struct OrderEntry {
    std::string batch_id;
    std::string pool_fingerprint;
    std::string staged;  ///< name in tmp/ under which the batch was built
};

/// All issued batches, in order. Throws Error(bad_data) for a gap or a damaged entry.
std::vector<OrderEntry> read_order(const std::string& queue_directory);

/// How many batches have been issued.
std::int64_t count_order(const std::string& queue_directory);

/// Tries to make `mine` entry `number` (from 1) and returns the entry that stands there now: only
/// one process ever gets a number. Throws Error(io_error and others) when the file system refuses;
/// the entry may stand nevertheless, so what it names must then be kept.
OrderEntry claim_order(const std::string& queue_directory, std::int64_t number,
                       const OrderEntry& mine);

}  // namespace sluice::queue
