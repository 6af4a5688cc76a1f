#pragma once

#include "pool/pool.hpp"
#include "queue/publish.hpp"
#include "select/two_stage.hpp"

#include <string>
#include <vector>

namespace sluice::campaign {

/// Puts a batch together from the pool: ids, oracle inputs with names and units, features of the
/// chosen rows, or of all rows of chosen items. Scores and distances come from the selection.
/// Local, for rank 0.
queue::Batch assemble_batch(const pool::Pool& pool, const select::Selection& selection,
                            std::int64_t ticket_items);

/// What users call these rows, in this order: the pool's ids, or the row numbers. Local.
std::vector<std::string> ids_of_rows(const pool::Pool& pool, const std::vector<RowId>& rows);

}  // namespace sluice::campaign
