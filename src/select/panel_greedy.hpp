#pragma once

#include "core/types.hpp"
#include "kernels/device_panel.hpp"
#include "select/stale_rows.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

using kernels::PanelPick;

/// Runs the greedy among the rows of `panel`, whose distances are exact to begin with, for as long
/// as its best row is better than `outside`, the best bound of the rows that are not in the panel,
/// and at most `num_picks` times. Afterwards the panel has the picks as centres, and its rows are
/// up to date or stale as they come. Local to this rank; every rank that holds the same panel
/// makes the same picks. With Backend::cuda the GPU makes them where it holds such a panel.
std::vector<PanelPick> panel_greedy(StaleRows& panel, const Candidate& outside,
                                    std::int64_t num_picks, kernels::Backend backend);

/// Books what a greedy elsewhere found out: its picks become centres and are taken out, and all
/// rows have seen them; center [rows] numbers the pick that came nearest to each, -1 where none
/// did. The distances of `panel` are relaxed already.
void adopt_picks(StaleRows& panel, std::span<const PanelPick> picks,
                 std::span<const std::int32_t> center);

}  // namespace sluice::select
