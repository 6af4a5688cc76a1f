#pragma once

#include "comm/communicator.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"
#include "select/two_stage.hpp"

#include <string>

namespace sluice::campaign {

/// Publishes the map of a selection as CSV, `row,id,score,chosen,distance`: every row of the
/// shortlist, ascending, with the chosen row nearest to it. Nothing to do for an empty path. Throws
/// AgreedError. \collective
void write_map(const std::string& path, const pool::Pool& pool, const select::Plan& plan,
               const select::Selection& selection, comm::Communicator& world);

}  // namespace sluice::campaign
