#pragma once

#include "pool/pool.hpp"
#include "select/plan.hpp"

#include <string>

namespace sluice::select {

/// Checks what the request says of parts, copies and distances, and fills in that of the plan,
/// which has its sizes already. Throws Error(usage) or Error(bad_data).
void choose_parts(const pool::Pool& pool, const PlanRequest& request, Plan& plan);

/// Lines of plan_text about them; empty if there is nothing to say.
std::string parts_text(const Plan& plan);

}  // namespace sluice::select
