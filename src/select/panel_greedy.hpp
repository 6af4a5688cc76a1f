#pragma once

#include "core/types.hpp"
#include "select/stale_rows.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// A row of the panel that the greedy picked.
struct PanelPick {
    std::int64_t local = 0;  ///< index in the panel
    float squared_distance = 0.0F;
};

/// Runs the greedy among the rows of `panel`, whose distances are exact to begin with, for as long
/// as its best row is better than `outside`, the best bound of the rows that are not in the panel,
/// and at most `num_picks` times. Afterwards the panel has the picks as centres, and its rows are
/// up to date or stale as they come. Local to this rank; every rank that holds the same panel
/// makes the same picks.
std::vector<PanelPick> panel_greedy(StaleRows& panel, const Candidate& outside,
                                    std::int64_t num_picks);

}  // namespace sluice::select
