#pragma once

#include "pool/pool.hpp"
#include "queue/publish.hpp"
#include "select/two_stage.hpp"

#include <string>

namespace sluice::campaign {

/// Puts a batch together from the pool: ids, oracle inputs with names and units, features of the
/// chosen rows, or of all rows of chosen items. Scores and distances come from the selection.
/// Local, for rank 0.
queue::Batch assemble_batch(const pool::Pool& pool, const select::Selection& selection,
                            std::int64_t ticket_items);

}  // namespace sluice::campaign
