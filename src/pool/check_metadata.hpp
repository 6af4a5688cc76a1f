#pragma once

#include "pool/check.hpp"

#include <vector>

namespace sluice::pool {

/// Shapes that do not fit together (committees with other classes than the probabilities) as
/// errors, those that only some scores can use as advice. open_pool has refused what no dataset
/// may have. From the metadata alone, the same on all ranks.
std::vector<Finding> describe_shapes(const Pool& pool);

/// Advice on how the datasets lie in their files: chunks that are too small or too large, filters,
/// layouts that only the HDF5 library reads.
std::vector<Finding> describe_layouts(const Pool& pool);

}  // namespace sluice::pool
