#pragma once

#include "comm/communicator.hpp"
#include "kernels/backend.hpp"
#include "labels/label_source.hpp"
#include "pool/pool.hpp"
#include "select/two_stage.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What `sluice select` was asked for.
struct SelectRequest {
    enum class NewPool { refuse, accept };
    enum class Mode { run, dry_run };
    enum class Output { print, quiet };

    pool::PoolSource pool;
    /// What is read in place of the pool's probabilities, committee and predictions, see
    /// open_predictions(); empty: those of the pool.
    std::string predictions_path;
    std::string queue_directory;  ///< empty: no batch is published (needs selected_path)
    std::vector<labels::LabelSource> labels;  ///< never chosen, and centres
    std::vector<RowId> held_out;              ///< never chosen, no centres; ascending, no repeats
    std::vector<labels::LabelSource> held_out_labels;  ///< likewise the rows of these
    std::string exclude_path;  ///< likewise the rows it names, see read_named_rows(); may be empty
    std::string center_path;   ///< rows it names count as labeled; may be empty
    std::string similar_path;  ///< vectors for scores of `similarity`; may be empty
    std::string
        similar_rows_path;  ///< which rows of that file, or of the pool, these are; or empty
    /// What is chosen, and how this job does it; the committee is read from `plan.model_path`.
    select::PlanRequest plan;
    double batch_share = 0.0;    ///< of the pool's rows, in place of `plan.batch_size`; 0 = none
    std::string selection_path;  ///< where batch size or share stand, if in a selection file: then
                                 ///< a batch larger than the candidates is an error
    /// Chooses in place of both stages; unset: they do. \collective
    std::function<select::Selection(const pool::Pool&, const select::Plan&,
                                    const select::TakenRows&, comm::Communicator&)>
        choose = {};
    std::string origin = {};  ///< hash of what `choose` goes by; a part of the batch's id
    NewPool new_pool = NewPool::refuse;  ///< whether a queue may go on with a changed pool
    std::int64_t ticket_items = 0;       ///< items a worker claims together; 0 = B/100, at least 1
    std::string tag;            ///< only workers with this tag take the batch; may be empty
    std::string selected_path;  ///< CSV copy of the selection; may be empty
    std::string json_path;      ///< JSON report; may be empty
    std::string map_path;       ///< CSV of the shortlist, see write_map(); may be empty
    Mode mode = Mode::run;
    Output output = Output::print;  ///< the report on rank 0's stdout
};

/// What came of it; the same on all ranks. All but the first three are unknown (0) for a batch that
/// was found published.
struct SelectResult {
    std::string batch_id;
    std::string batch_directory;  ///< empty without a queue
    bool was_published = false;   ///< before this call
    std::int64_t num_chosen = 0;
    std::int64_t num_candidates = 0;
    std::int64_t num_beyond_trust = 0;
    float covering_radius = 0.0F;  ///< NaN without a diversity stage
    double redundancy = 0.0;       ///< mean nearest distance inside the batch; NaN: not computed
};

/// Selects one batch and publishes it into the queue: opens the pool, reads labels and issued rows,
/// plans, selects, publishes, and prints the result on rank 0's stdout. With Mode::dry_run it
/// prints the plan and touches nothing. Asking again for the same batch (same pool content, labels
/// and options) finds it published and changes nothing.
/// Throws Error with the exit codes of the README; `try_again` when stopped by a signal or when
/// another selection was published meanwhile. \collective
SelectResult select_round(const SelectRequest& request, comm::Communicator& world);

}  // namespace sluice::campaign
