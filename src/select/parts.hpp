#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"
#include "select/row_classes.hpp"
#include "select/row_scorer.hpp"
#include "select/scan.hpp"
#include "select/scan_lists.hpp"
#include "select/two_stage.hpp"

#include <cstdint>
#include <memory>

namespace sluice::select {

/// What stage 1 of a batch in parts has to work with.
struct PartsInput {
    const pool::Pool& pool;
    const Plan& plan;
    const RowScorer& scorer;
    RowRange share;  ///< this rank's rows
    const TakenRows& taken;
    const RowClasses* classes = nullptr;  ///< null if the plan tells no classes apart
};

/// The lists that the first scan fills: the best of all, of each class that gets a part, and what
/// is drawn by chance. Throws Error(usage) for a class that the plan names and no row can be of.
ScanLists first_lists(const Plan& plan, const RowClasses* classes);

/// Chooses the batch part by part: first the random share, drawn from all candidates; then for each
/// class its quota or its share of the balance, from the best of that class; then the rest from the
/// best of all. Each part is a selection of its own, by the plan's diversity, that has the parts
/// before it among its centres, and a shortlist as large as its share of the batch (see
/// Plan::shortlist_of_part); with
/// Plan::distinct_within near-copies of centres, of rows chosen and of better rows of the shortlist
/// are passed over. What a class lacks is chosen from the best of all, and named in the note.
/// Throws AgreedError(bad_data) for a quota beyond the candidates of its class. \collective
void select_parts(const PartsInput& input, ScanLists lists, Selection& selection,
                  comm::Communicator& world);

/// Bytes that lists and near-copies need on a rank, for the memory plan.
std::int64_t parts_memory(const pool::Pool& pool, const Plan& plan, std::int64_t num_centers,
                          int num_ranks);

}  // namespace sluice::select
