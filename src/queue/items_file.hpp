#pragma once

#include "queue/publish.hpp"

#include <cstddef>
#include <vector>

namespace sluice::queue {

/// The bytes of items.h5 of a batch: datasets row [B] int64, id [B] UTF-8, score [B] f32, distance
/// [B] f32 (NaN without a diversity stage), features [B,D] f32 and inputs [B,P] f64 (with
/// attributes names and units), group [B] int64 and instance_score [B] f32 where the batch has
/// them; root attributes format and format_version. The same batch gives the same bytes.
std::vector<std::byte> items_file(const Batch& batch);

}  // namespace sluice::queue
