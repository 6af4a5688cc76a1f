#include "campaign/snap.hpp"

#include "core/error.hpp"
#include "core/phase.hpp"
#include "pool/row_reader.hpp"
#include "select/nearest_rows.hpp"
#include "select/network_scorer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace sluice::campaign {
namespace {

// Rows asked for each proposal: when all of them are taken, one more search finds others.
constexpr std::int64_t choices = 16;

// The search goes by the plan's reading; the rows taken so far are excluded with the others.
select::NearestSearch search_of(const pool::Pool& pool, const select::Plan& plan) {
    select::NearestSearch search;
    search.features = &pool.get("features", "--snap-to");
    search.num_neighbors = choices;
    search.metric = plan.metric;
    search.bad_rows = plan.bad_rows;
    search.num_threads = plan.num_threads;
    search.block_rows = plan.block_rows;
    return search;
}

// Gives the proposals their rows in order; stops at the first whose choices are all taken. Returns
// how many got one.
std::int64_t assign(const select::NearestRows& found, std::vector<RowId>& taken,
                    select::Selection& selection) {
    std::int64_t assigned = 0;
    for (const auto& neighbors : found.neighbors) {
        const auto free =
            std::find_if(neighbors.begin(), neighbors.end(), [&](const select::Neighbor& near) {
                return !std::binary_search(taken.begin(), taken.end(), near.row);
            });
        if (free == neighbors.end()) break;
        taken.insert(std::upper_bound(taken.begin(), taken.end(), free->row), free->row);
        selection.rows.push_back({free->row, 0.0F, free->distance});
        ++assigned;
    }
    return assigned;
}

// Scores of rows, in the order of the selection.
void score_rows(const pool::Pool& pool, const select::Plan& plan, select::Selection& selection) {
    const pool::Dataset& features = pool.get("features", "--snap-to");
    std::vector<select::Selected*> ascending;
    for (select::Selected& selected : selection.rows)
        ascending.push_back(&selected);
    std::sort(ascending.begin(), ascending.end(),
              [](const auto* left, const auto* right) { return left->row < right->row; });
    std::vector<RowId> rows;
    for (const select::Selected* selected : ascending)
        rows.push_back(selected->row);
    std::vector<float> values(rows.size() * static_cast<std::size_t>(features.row_elements()));
    std::vector<float> scores(rows.size());
    pool::RowReader::Scratch scratch;
    pool::RowReader(features).gather(rows, values, scratch);
    const kernels::ScoreBlock block{values.data(),
                                    {0, static_cast<RowId>(rows.size())},
                                    1,
                                    features.row_elements(),
                                    kernels::ScoreInput::features};
    select::make_network_scorer(plan.score, plan.network, plan.backend)->score(block, scores);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        require(std::isfinite(scores[i]), ExitCode::bad_data,
                pool::location_text(features, rows[i]) + ": " +
                    kernels::describe_bad_row(block, static_cast<RowId>(i)));
        ascending[i]->score = scores[i];
    }
}

}  // namespace

select::Selection snap_to_rows(kernels::MatrixView proposals, const pool::Pool& pool,
                               const select::Plan& plan, const select::TakenRows& taken,
                               comm::Communicator& world) {
    enter_phase("snap");
    select::Selection selection;
    selection.covering_radius = std::numeric_limits<float>::quiet_NaN();
    selection.redundancy = std::numeric_limits<double>::quiet_NaN();
    select::NearestSearch search;
    world.agree([&] { search = search_of(pool, plan); });
    std::vector<RowId> excluded = taken.all();
    for (std::int64_t next = 0; next < proposals.rows;) {
        search.queries = {proposals.row(next), proposals.rows - next, proposals.dim};
        search.excluded = excluded;
        const select::NearestRows found = select::find_nearest_rows(search, world);
        if (next == 0) {
            selection.num_candidates = found.num_candidates;
            selection.num_skipped = found.num_skipped;
        }
        selection.bytes_read += found.bytes_read;
        const std::int64_t assigned = assign(found, excluded, selection);
        if (assigned == 0) break;  // no row is left
        next += assigned;
    }
    selection.shortlist_size = std::ssize(selection.rows);
    world.agree([&] { score_rows(pool, plan, selection); });
    return selection;
}

}  // namespace sluice::campaign
