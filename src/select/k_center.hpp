#pragma once

#include "comm/communicator.hpp"
#include "core/progress.hpp"
#include "core/types.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// This rank's share of the shortlist.
struct KCenterShare {
    std::span<const RowId> rows;   ///< ascending; shares of different ranks are disjoint
    kernels::MatrixView features;  ///< [rows, D]; scaled to unit length for the cosine
    std::span<float> nearest;      ///< [rows] squared distance to the nearest centre so far,
                                   ///< +inf without one; updated
};

struct KCenterOptions {
    std::int64_t num_picks = 0;
    RowId first_pick = -1;  ///< the row picked first when there is no centre yet; -1 = none
    kernels::Backend backend = kernels::Backend::cpu;
    int num_threads = 1;
    std::int64_t panel_rows = 2048;  ///< S: stale-best rows replicated on every rank in a round
};

struct KCenterPick {
    RowId row = 0;
    float squared_distance = 0.0F;  ///< to the nearest centre when picked; +inf for a first pick
};

struct KCenterResult {
    std::vector<KCenterPick> picks;   ///< in order; the same on all ranks
    float squared_radius = 0.0F;      ///< max over the shortlist of the distance to its centre
    std::int64_t rounds = 0;          ///< replications of the panel
    std::int64_t rows_refreshed = 0;  ///< on this rank
};

/// Exact greedy k-center (farthest-first traversal): repeatedly picks the row farthest from all
/// centres, ties to the lower row, and makes it a centre. Same picks, bit for bit, as the
/// one-at-a-time greedy, in tens of rounds: distances never grow, so a stale one is an upper
/// bound; the S best stale rows are replicated and the greedy runs among them until the best falls
/// below the best bound outside. A row is never picked twice; stops early when all are picked,
/// and throws AgreedError(try_again) between rounds once a stop signal has reached any rank.
/// \collective
/// \source Gonzalez 1985, Theor. Comput. Sci. 38, 293-306; Minoux 1978 for the stale bounds.
KCenterResult k_center(KCenterShare share, const KCenterOptions& options, comm::Communicator& world,
                       Progress* progress);

/// How many rounds and bytes a rank should expect, for the dry run: an estimate from the measured
/// picks per round.
struct KCenterEstimate {
    std::int64_t rounds = 0;
    std::int64_t bytes_received_per_rank = 0;
    std::int64_t memory_bytes = 0;  ///< beyond the features and `nearest`
};
KCenterEstimate estimate_k_center(std::int64_t shortlist_rows, std::int64_t dim,
                                  const KCenterOptions& options);

}  // namespace sluice::select
