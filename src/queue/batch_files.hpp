#pragma once

#include "queue/publish.hpp"

#include <string>

namespace sluice::queue {

/// Throws Error unless the batch can be published: a plain id, sizes that agree, finite inputs,
/// distinct input names, text that is UTF-8, a manifest that is a JSON object.
void check_batch(const Batch& batch);

/// Builds the whole batch directory (created here), ready to be moved to its place: all files
/// written, synced, closed and read back. Only provenance.json differs between two runs of the same
/// batch.
void build_batch(const Batch& batch, const std::string& directory);

}  // namespace sluice::queue
