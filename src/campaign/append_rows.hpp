#pragma once

#include "comm/communicator.hpp"
#include "pool/pool.hpp"
#include "select/two_stage.hpp"

#include <cstdint>
#include <string>

namespace sluice::campaign {

/// Throws Error(bad_data) unless rows of `dim` float32 features and as many float64 inputs can
/// stand behind those of `pool`: it must hold just these two.
void require_appendable(const pool::Pool& pool, std::int64_t dim);

/// Whether the last batch of the queue in `directory` came from `pool`, so that a pool which only
/// has more rows may go on with it; false if there is no such queue. \collective
bool is_pool_of_queue(const pool::Pool& pool, const std::string& directory,
                      comm::Communicator& world);

/// Chooses by both stages among the rows of the pool file `path` alone, the last of the files of
/// `pool`, and gives their rows in `pool`. \collective
select::Selection choose_in_last_file(const std::string& path, const pool::Pool& pool,
                                      const select::PlanRequest& wanted,
                                      const select::TakenRows& taken, comm::Communicator& world);

}  // namespace sluice::campaign
