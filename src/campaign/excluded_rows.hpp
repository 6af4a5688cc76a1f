#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"

#include <string>
#include <vector>

namespace sluice::campaign {

/// The rows that a file names, ascending, without repeats: an HDF5 file with `row` [L] integers, or
/// a text of one name a line. The first line of a text may be a header, as of selected.csv: then
/// the column `row` counts, else `id`. Without one the lines are ids if the pool has ids, else row
/// numbers. Blank lines and lines that begin with # are left out. Throws Error(no_input) for a
/// missing file, Error(bad_data) naming the line for what is no row of the pool. An empty path
/// names none. \collective
std::vector<RowId> read_named_rows(const std::string& path, const pool::Pool& pool,
                                   comm::Communicator& world);

}  // namespace sluice::campaign
