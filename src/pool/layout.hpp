#pragma once

#include "h5/inspect.hpp"
#include "h5/raw_file.hpp"
#include "pool/dataset.hpp"

#include <string>

namespace sluice::pool {

/// Finds out how a file holds the rows of `dataset` and fills in its one part: layout, addresses,
/// filters, chunk table. Throws Error(bad_data) for values outside the file, chunks that were
/// never written, addresses beyond the end of the file, and filters that are not available.
void find_layout(const h5::Inspector& inspector, const h5::RawFile& file,
                 const h5::DatasetInfo& info, Dataset& dataset);

}  // namespace sluice::pool
