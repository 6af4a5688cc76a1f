#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "labels/label_source.hpp"

#include <string>
#include <vector>

namespace sluice::labels {

/// The labeled rows of all sources: ascending, without repeats. A file holds `row` [L] integers
/// and, if it has `y` [L] integers, rows whose y is -1 (missing) are not labeled; with `round` [L]
/// only rows of the source's rounds count. Rank 0 reads, all ranks get the rows. Throws
/// Error(no_input) for a missing path, Error(bad_data) naming file, dataset and row for a row
/// outside [0, num_rows). \collective
std::vector<RowId> read_labeled_rows(const std::vector<LabelSource>& sources, RowId num_rows,
                                     comm::Communicator& world);

}  // namespace sluice::labels
