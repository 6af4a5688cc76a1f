#include "select/parts.hpp"

#include "core/error.hpp"
#include "core/partition.hpp"
#include "core/phase.hpp"
#include "core/text.hpp"
#include "select/budget.hpp"
#include "select/diversify.hpp"
#include "select/near_copies.hpp"
#include "select/part_sizes.hpp"
#include "select/shortlist.hpp"
#include "select/soft_rank.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sluice::select {
namespace {

constexpr std::size_t deeper = 4;  // how much longer a list gets that was too short

// The candidates of a list in its order, on every rank; goes back to the pool for more of them.
class Depth {
  public:
    Depth(const PartsInput& input, ScanList list, Selection& selection, comm::Communicator& world)
        : input_(input), list_(std::move(list)), selection_(selection), world_(world) {
        take();
    }

    const std::vector<RankedRow>& rows() const { return rows_; }
    bool is_complete() const { return is_complete_; }

    /// The next rows of the list, in place of those before.
    void go_on() {
        ScanList next;
        next.order = list_.order;
        next.of_class = list_.of_class;
        next.of_no_class = list_.of_no_class;
        // Lists grow as far as the memory goes: they are sent, received and sorted.
        const auto most =
            static_cast<std::size_t>(input_.plan.memory_budget) / (4 * sizeof(RankedRow));
        next.capacity = std::max(list_.capacity, std::min(deeper * list_.capacity, most));
        next.after = rows_.back().rank;
        ScanLists lists(input_.plan, input_.classes, {std::move(next)});
        std::int64_t bytes = 0;
        enter_phase("score");
        world_.agree([&] {
            bytes = scan_rows(input_.pool, input_.plan, input_.scorer, input_.share, input_.taken,
                              &lists)
                        .bytes_read;
        });
        enter_phase("shortlist");
        selection_.bytes_read += world_.sum(bytes);
        list_ = std::move(lists.lists().front());
        take();
    }

  private:
    void take() {
        const auto capacity = static_cast<std::int64_t>(list_.capacity);
        std::vector<RankedRow> mine = list_.take();
        std::vector<Candidate> ranks;
        for (const RankedRow& row : mine)
            ranks.push_back(row.rank);
        const std::vector<Candidate> kept = keep_global_best(std::move(ranks), capacity, world_);
        mine.resize(kept.size());  // both best first
        rows_ = world_.all_gather(std::span<const RankedRow>(mine));
        std::sort(rows_.begin(), rows_.end(), [](const RankedRow& left, const RankedRow& right) {
            return better(left.rank, right.rank);
        });
        is_complete_ = world_.sum(list_.num_rows) <= capacity;
    }

    const PartsInput& input_;
    ScanList list_;
    Selection& selection_;
    comm::Communicator& world_;
    std::vector<RankedRow> rows_;
    bool is_complete_ = false;
};

// The whole batch, part after part.
class Parts {
  public:
    Parts(const PartsInput& input, Selection& selection, comm::Communicator& world)
        : input_(input), plan_(input.plan), selection_(selection), world_(world) {
        if (plan_.has_distance_limit())
            features_ = &input.pool.get("features", "--distinct-within");
    }

    void run(ScanLists lists) {
        PartSizes sizes(plan_, input_.classes, lists, input_.taken.centers, world_);
        std::vector<ScanList> all = std::move(lists.lists());
        std::size_t next = 1;  // lists: the best of all, by chance, of classes
        if (plan_.random_rows > 0) draw(std::move(all[next++]), plan_.random_rows, "random share");
        for (const PartSizes::Part& part : sizes.parts()) {
            ScanList list = plan_.class_mix.takes_any_class() ? list_of(part.code, lists.of_each())
                                                              : std::move(all[next++]);
            const std::int64_t wanted = std::min(part.rows, plan_.batch_size - num_chosen());
            const std::int64_t got = draw(std::move(list), wanted, part.reason);
            if (got < wanted) sizes.name_shortage(part, got);
        }
        draw(std::move(all.front()), plan_.batch_size - num_chosen(), rest_reason(sizes));
        if (sizes.has_shortage())
            selection_.note = sizes.note() + "; what they lack was chosen from all classes" +
                              (selection_.note.empty() ? "" : "; ") + selection_.note;
        if (!sizes.misses().empty())
            selection_.note =
                sizes.misses() + (selection_.note.empty() ? "" : "; ") + selection_.note;
        share_shortlist();
    }

  private:
    std::int64_t num_chosen() const { return std::ssize(selection_.rows); }

    std::string rest_reason(const PartSizes& sizes) const {
        return sizes.has_shortage() && !plan_.class_mix.is_quota() ? "refill" : "";
    }

    static ScanList list_of(std::int64_t code, std::map<std::int64_t, ScanList>& lists) {
        const auto found = lists.find(code);
        if (found != lists.end()) return std::move(found->second);
        ScanList none;  // this rank has no row of the class
        none.of_class = code;
        return none;
    }

    // Chooses up to so many rows of the list; returns how many there were.
    std::int64_t draw(ScanList list, std::int64_t rows, const std::string& reason) {
        if (rows <= 0) return 0;
        const bool by_chance = list.order == ScanList::Order::by_chance;
        // Ranks without a row of a class have no list of it.
        list.capacity =
            static_cast<std::size_t>(world_.max(static_cast<std::int64_t>(list.capacity)));
        const std::int64_t before = num_chosen();
        std::vector<RankedRow> shortlist =
            shortlist_of(Depth(input_, std::move(list), selection_, world_), rows, by_chance);
        for (const RankedRow& row : shortlist)
            shortlisted_.push_back({row.score, row.rank.row});
        if (by_chance || plan_.diversity == "none")
            take_best(shortlist, rows);
        else if (!shortlist.empty())
            diversify_part(shortlist, rows);
        for (std::int64_t i = before; i < num_chosen(); ++i)
            if (!reason.empty()) selection_.rows[static_cast<std::size_t>(i)].reason = reason;
        return num_chosen() - before;
    }

    // The rows of the list that are not chosen yet and no near-copies.
    std::vector<RankedRow> shortlist_of(Depth depth, std::int64_t rows, bool by_chance) {
        const auto size =
            static_cast<std::size_t>(by_chance ? rows : plan_.shortlist_of_part(rows));
        std::optional<NearCopies> copies;
        if (features_ != nullptr) {
            copies.emplace(*features_, plan_, plan_.distance_limit(), world_);
            copies->keep(centers());
        }
        std::vector<RankedRow> shortlist;
        for (;;) {
            std::vector<RankedRow> free = not_chosen(depth.rows());
            const bool by_rank =
                plan_.randomization.kind == Randomization::Kind::softrank && !by_chance;
            if (by_rank) free = perturbed(std::move(free), size);
            admit(free, size, copies ? &*copies : nullptr, shortlist);
            if (shortlist.size() >= size || depth.is_complete() || by_rank) break;
            depth.go_on();
        }
        if (copies) {
            selection_.num_skipped += copies->num_skipped();
            selection_.bytes_read += world_.sum(copies->rows_read()) * features_->row_bytes();
        }
        return shortlist;
    }

    static void admit(const std::vector<RankedRow>& rows, std::size_t size, NearCopies* copies,
                      std::vector<RankedRow>& shortlist) {
        constexpr std::size_t at_once = 1024;
        for (std::size_t begin = 0; begin < rows.size() && shortlist.size() < size;) {
            const std::size_t end = std::min(begin + at_once, rows.size());
            std::vector<RowId> block;
            for (std::size_t i = begin; i < end; ++i)
                block.push_back(rows[i].rank.row);
            const std::vector<char> stays =
                copies == nullptr ? std::vector<char>(block.size(), 1) : copies->admit(block);
            for (std::size_t i = 0; i < stays.size() && shortlist.size() < size; ++i)
                if (stays[i] != 0) shortlist.push_back(rows[begin + i]);
            begin = end;
        }
    }

    std::vector<RankedRow> not_chosen(const std::vector<RankedRow>& rows) const {
        std::set<RowId> chosen;
        for (const Selected& selected : selection_.rows)
            chosen.insert(selected.row);
        std::vector<RankedRow> free;
        std::copy_if(rows.begin(), rows.end(), std::back_inserter(free),
                     [&](const RankedRow& row) { return !chosen.contains(row.rank.row); });
        return free;
    }

    // Ranked by softrank among the best of them.
    std::vector<RankedRow> perturbed(std::vector<RankedRow> rows, std::size_t size) {
        rows.resize(std::min(rows.size(), static_cast<std::size_t>(ranked_factor) * size));
        const RowRange part = part_of_rows(std::ssize(rows), world_.rank(), world_.size());
        std::vector<Candidate> mine;
        for (RowId i = part.begin; i < part.end; ++i)
            mine.push_back(rows[static_cast<std::size_t>(i)].rank);
        mine = perturb_ranks(std::move(mine), plan_, world_);
        std::vector<Candidate> all = world_.all_gather(std::span<const Candidate>(mine));
        std::sort(all.begin(), all.end(), better);
        rows.clear();
        for (const Candidate& candidate : all)
            rows.push_back({candidate, candidate.score});
        return rows;
    }

    // What the part keeps away from: labeled, issued and chosen rows, ascending.
    std::vector<RowId> centers() const {
        std::vector<RowId> rows = input_.taken.centers;
        for (const Selected& selected : selection_.rows)
            rows.push_back(selected.row);
        std::sort(rows.begin(), rows.end());
        return rows;
    }

    void take_best(const std::vector<RankedRow>& shortlist, std::int64_t rows) {
        for (std::int64_t i = 0; i < std::min(rows, std::ssize(shortlist)); ++i) {
            const RankedRow& row = shortlist[static_cast<std::size_t>(i)];
            selection_.rows.push_back(
                {row.rank.row, row.score, std::numeric_limits<float>::quiet_NaN()});
        }
    }

    void diversify_part(std::vector<RankedRow>& shortlist, std::int64_t rows) {
        std::sort(shortlist.begin(), shortlist.end(), [](const auto& left, const auto& right) {
            return left.rank.row < right.rank.row;
        });
        const RowRange share = part_of_rows(std::ssize(shortlist), world_.rank(), world_.size());
        std::vector<Candidate> mine;
        for (RowId i = share.begin; i < share.end; ++i) {
            const RankedRow& row = shortlist[static_cast<std::size_t>(i)];
            mine.push_back({row.score, row.rank.row});
        }
        Plan part = plan_;
        part.batch_size = std::min(rows, std::ssize(shortlist));
        part.shortlist_size = std::ssize(shortlist);
        part.batch_cost = 0.0;  // of the whole batch
        Selection chosen;
        diversify(input_.pool, part, std::move(mine), centers(), chosen, world_);
        selection_.rows.insert(selection_.rows.end(), chosen.rows.begin(), chosen.rows.end());
        selection_.rounds += chosen.rounds;
        selection_.rows_refreshed += chosen.rows_refreshed;
        selection_.num_skipped += chosen.num_skipped;
        selection_.bytes_read += chosen.bytes_read;
        if (!chosen.note.empty()) selection_.note = chosen.note;
    }

    // Every row once, dealt out over the ranks.
    void share_shortlist() {
        const auto by_row = [](const Candidate& a, const Candidate& b) { return a.row < b.row; };
        std::stable_sort(shortlisted_.begin(), shortlisted_.end(), by_row);
        const auto is_same = [](const Candidate& a, const Candidate& b) { return a.row == b.row; };
        shortlisted_.erase(std::unique(shortlisted_.begin(), shortlisted_.end(), is_same),
                           shortlisted_.end());
        const RowRange share = part_of_rows(std::ssize(shortlisted_), world_.rank(), world_.size());
        selection_.shortlist.assign(shortlisted_.begin() + share.begin,
                                    shortlisted_.begin() + share.end);
        selection_.shortlist_size = std::ssize(shortlisted_);
    }

    const PartsInput& input_;
    const Plan& plan_;
    Selection& selection_;
    comm::Communicator& world_;
    const pool::Dataset* features_ = nullptr;  // null if copies are kept
    std::vector<Candidate> shortlisted_;       // of all parts and ranks
};

}  // namespace

void select_parts(const PartsInput& input, ScanLists lists, Selection& selection,
                  comm::Communicator& world) {
    Parts(input, selection, world).run(std::move(lists));
    selection.rows.resize(affordable_picks(input.pool, input.plan, selection.rows, world));
}

}  // namespace sluice::select
