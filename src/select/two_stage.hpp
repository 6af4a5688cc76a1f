#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/backend.hpp"
#include "kernels/score_rows.hpp"
#include "pool/pool.hpp"
#include "select/diversity.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::select {

/// One chosen row.
struct Selected {
    RowId row = 0;
    float score = 0.0F;
    float distance = 0.0F;  ///< DiversePick::value: mostly the distance to the nearest centre when
                            ///< picked; NaN without a diversity stage
    std::string reason = {};  ///< the part of the batch it belongs to, or what chose it
    RowId nearest = -1;       ///< labeled, issued or chosen before; -1: none, or not compared
    float nearest_distance = std::numeric_limits<float>::quiet_NaN();
};

/// One row of a chosen item.
struct Instance {
    std::int64_t pick = 0;   ///< index of its item in Selection::rows
    std::int64_t group = 0;  ///< number of the item in `groups`
    RowId row = 0;
    float score = 0.0F;  ///< its own
};

/// What a selection came to; the same on all ranks unless noted.
struct Selection {
    std::vector<Selected> rows;         ///< in selection order; of items, each one's best row
    std::vector<Instance> instances;    ///< with items: all their rows, item by item, ascending
    std::int64_t num_candidates = 0;    ///< rows (or items) neither excluded nor skipped
    std::int64_t num_skipped = 0;       ///< bad rows, under BadRows::skip
    std::int64_t num_unwanted = 0;      ///< rows that fail the conditions
    std::int64_t num_beyond_trust = 0;  ///< candidates whose score is above the trust levels
    std::int64_t shortlist_size = 0;    ///< K actually used
    std::vector<Candidate> shortlist;   ///< this rank's share of it, ascending by row
    float covering_radius = 0.0F;  ///< max distance of a shortlisted row to its centre; NaN: none
    double redundancy = 0.0;       ///< mean nearest distance inside the batch; NaN: not computed
    std::string note;              ///< of stage 2, a line; may be empty
    std::int64_t rounds = 0;       ///< of stage 2
    std::int64_t rows_refreshed = 0;  ///< of stage 2, sum over ranks
    std::int64_t bytes_read = 0;      ///< sum over ranks, stored bytes of stages 1 and 2
};

/// Runs both stages as `plan` says. Throws AgreedError on all ranks, try_again on a stop signal.
/// \collective
Selection select_two_stage(const pool::Pool& pool, const Plan& plan, const TakenRows& taken,
                           comm::Communicator& world);

}  // namespace sluice::select
