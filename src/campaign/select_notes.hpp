#pragma once

#include "campaign/select_round.hpp"
#include "select/plan.hpp"
#include "select/two_stage.hpp"

namespace sluice::campaign {

/// Throws AgreedError(bad_data) for a selection file that asks for more rows than there are
/// candidates.
void check_candidates(const SelectRequest& request, const select::Plan& plan);

/// Logs what a user may not expect of a selection: fewer rows than asked for, rows passed over,
/// copies.
void note_surprises(const SelectRequest& request, const select::Plan& plan,
                    const select::Selection& selection);

}  // namespace sluice::campaign
