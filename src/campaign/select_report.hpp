#pragma once

#include "campaign/rank_totals.hpp"
#include "campaign/select_round.hpp"
#include "queue/publish.hpp"
#include "select/two_stage.hpp"

#include <string>
#include <vector>

namespace sluice::campaign {

/// Everything a finished selection is described from.
struct SelectOutcome {
    const SelectRequest& request;
    const select::Plan& plan;
    const select::Selection& selection;
    const queue::Batch& batch;
    std::string pool_fingerprint;
    RowId num_pool_rows = 0;
    std::int64_t num_labeled = 0;
    std::int64_t num_held_out = 0;
    std::int64_t num_issued_before = 0;
    std::string model_hash;               ///< empty without a model
    std::string predictions_fingerprint;  ///< empty without a file of them
    std::string similar_hash;             ///< empty without vectors to be like
    int num_ranks = 1;
    double seconds = 0.0;
    std::vector<RankTotals> use;  ///< by rank
};

/// manifest.json without the queue's own fields: the science inputs and what came of them, the
/// same bytes for any number of ranks, threads and any layout. JSON object text.
std::string manifest_text(const SelectOutcome& outcome);

/// provenance.json: versions, host, ranks, files, times; differs from run to run. JSON object text.
std::string provenance_text(const SelectOutcome& outcome);

/// The report for people, on stdout: what was chosen, how diverse it is, what to do next.
std::string report_text(const SelectOutcome& outcome);

/// The report for programs (--json): `batch`, `selected` (path of the CSV, empty without a queue),
/// `manifest` and `provenance`, both JSON object texts, in one object.
std::string report_json(const std::string& batch_id, const std::string& selected_path,
                        const std::string& manifest, const std::string& provenance);

}  // namespace sluice::campaign
