#include "select/two_stage.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/phase.hpp"
#include "core/text.hpp"
#include "select/budget.hpp"
#include "select/diversify.hpp"
#include "select/explain.hpp"
#include "select/group_numbers.hpp"
#include "select/instances.hpp"
#include "select/parts.hpp"
#include "select/row_scorer.hpp"
#include "select/scan.hpp"
#include "select/shortlist.hpp"
#include "select/soft_rank.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

namespace sluice::select {
namespace {

constexpr float not_a_distance = std::numeric_limits<float>::quiet_NaN();

// Rows are dealt out in whole blocks, so that a rank reads whole chunks.
RowRange rows_of_rank(RowId num_rows, std::int64_t block_rows, const comm::Communicator& world) {
    const std::int64_t fair = (num_rows + world.size() - 1) / world.size();
    const std::int64_t granule = std::clamp<std::int64_t>(fair, 1, block_rows);
    return part_of_rows(num_rows, world.rank(), world.size(), granule);
}

// This rank's rows; with items, whole ones, once it is sure that their rows lie together.
RowRange share_of_rank(const pool::Pool& pool, const Plan& plan, comm::Communicator& world) {
    RowRange share = rows_of_rank(pool.num_rows, plan.block_rows, world);
    if (!plan.items.has_items()) return share;
    std::optional<GroupNumbers> groups;
    world.agree([&] {
        groups.emplace(pool.get("groups", "--groups"));
        share = groups->whole_items(share);
    });
    groups->require_rows_together(share, world);
    return share;
}

// Ends the job, naming the lowest bad row of all ranks, or counts under BadRows::skip.
void settle_bad_rows(const ScanResult& scan, const Plan& plan, Selection& selection,
                     comm::Communicator& world) {
    const std::int64_t num_bad = world.sum(scan.num_bad);
    selection.num_skipped = num_bad;
    if (num_bad == 0 || plan.bad_rows == BadRows::skip) return;
    // Ranks hold ascending rows, so the lowest rank with a bad row holds the lowest bad row.
    const std::int64_t owner =
        world.min(scan.first_bad >= 0 ? std::int64_t{world.rank()} : std::int64_t{world.size()});
    std::string message = scan.first_bad_reason;
    world.broadcast(message, static_cast<int>(owner));
    if (num_bad > 1) {
        message += " (first of " + count_text(num_bad) + " such rows)";
    }
    throw comm::AgreedError(ExitCode::bad_data,
                            message + "; repair the pool or pass --bad-rows skip");
}

std::vector<Candidate> shortlist_of(std::vector<Candidate> best, const Plan& plan,
                                    comm::Communicator& world) {
    if (plan.randomization.kind == Randomization::Kind::softrank) {
        best = keep_global_best(std::move(best), plan.scan_size, world);
        best = perturb_ranks(std::move(best), plan, world);
    }
    return keep_global_best(std::move(best), plan.shortlist_size, world);
}

std::vector<Selected> in_score_order(const std::vector<Candidate>& mine,
                                     comm::Communicator& world) {
    std::vector<Candidate> all = world.all_gather(std::span<const Candidate>(mine));
    std::sort(all.begin(), all.end(), better);
    std::vector<Selected> result;
    for (const Candidate& candidate : all) {
        result.push_back({candidate.row, candidate.score, not_a_distance, {}});
    }
    return result;
}

// The batch as one selection from one shortlist.
void select_whole(const pool::Pool& pool, const Plan& plan, ScanResult scan, const TakenRows& taken,
                  Selection& selection, comm::Communicator& world) {
    if (plan.copies == Copies::drop) scan.best = keep_distinct(scan.distinct, world);
    std::vector<Candidate> shortlist = shortlist_of(std::move(scan.best), plan, world);
    selection.shortlist_size = world.sum(static_cast<std::int64_t>(shortlist.size()));
    selection.shortlist = balance_by_row(shortlist, world);
    if (plan.diversity == "none" || selection.shortlist_size == 0) {
        selection.rows = in_score_order(shortlist, world);
        selection.rows.resize(affordable_picks(pool, plan, selection.rows, world));
    } else {
        diversify(pool, plan, selection.shortlist, taken.centers, selection, world);
    }
}

}  // namespace

Selection select_two_stage(const pool::Pool& pool, const Plan& plan, const TakenRows& taken,
                           comm::Communicator& world) {
    Selection selection;
    selection.covering_radius = not_a_distance;
    selection.redundancy = std::numeric_limits<double>::quiet_NaN();

    const RowRange share = share_of_rank(pool, plan, world);
    enter_phase("prepare scores");
    auto prepared = prepare_scores(pool, plan, taken, world);
    enter_phase("score");
    ScanResult scan;
    std::optional<RowScorer> scorer;
    std::optional<RowClasses> classes;
    std::optional<ScanLists> lists;
    world.agree([&] {
        scorer.emplace(pool, plan, std::move(prepared));
        if (plan.class_rule) classes.emplace(pool, plan);
        if (plan.has_parts()) lists.emplace(first_lists(plan, classes ? &*classes : nullptr));
        scan = scan_rows(pool, plan, *scorer, share, taken, lists ? &*lists : nullptr);
    });
    settle_bad_rows(scan, plan, selection, world);
    selection.num_candidates = world.sum(scan.num_candidates);
    selection.num_unwanted = world.sum(scan.num_unwanted);
    selection.num_beyond_trust = world.sum(scan.num_beyond_trust);
    selection.bytes_read = world.sum(scan.bytes_read);

    enter_phase("shortlist");
    if (lists)
        select_parts({pool, plan, *scorer, share, taken, classes ? &*classes : nullptr},
                     std::move(*lists), selection, world);
    else
        select_whole(pool, plan, std::move(scan), taken, selection, world);
    const std::size_t before = selection.rows.size();
    explain(pool, plan, taken.centers, selection, world);
    const bool is_measured = lists || selection.rows.size() < before;
    if (is_measured && plan.diversity != "none" && !selection.rows.empty())
        measure(pool, plan, taken.centers, selection, world);
    if (plan.items.has_items())
        selection.instances = instances_of(pool, plan, *scorer, selection.rows, world);
    return selection;
}

}  // namespace sluice::select
