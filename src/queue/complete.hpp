#pragma once

#include "core/types.hpp"
#include "queue/order.hpp"

#include <string>
#include <vector>

namespace sluice::queue {

/// Brings an issued batch from tmp/ to its place: renames its directory, its tokens and, as the
/// commit point, its manifest. Nothing to do if it is complete. Every step is one rename that
/// happens exactly once whoever does it, so any number of processes may work on the same batch and
/// be killed at any instant.
void complete_batch(const std::string& queue_directory, const OrderEntry& entry);

/// The rows of an issued batch, complete or not, checked against its manifest.
std::vector<RowId> rows_of_batch(const std::string& queue_directory, const OrderEntry& entry);

}  // namespace sluice::queue
