#include "select/diversity/coverage.hpp"

#include "select/diversity/centers.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice::select {
namespace {

constexpr std::int64_t panel_rows_a_pick = 64;
constexpr std::int64_t most_panel_rows = 2048;
// Of a panel's lists together there are at most so many entries for each row of the shortlist.
constexpr std::int64_t columns_of_a_panel = 32;

bool comes_later(const Gain& left, const Gain& right) {
    return beats(right, left);
}

template <typename T>
std::vector<T> of_all_ranks(const T& mine, comm::Communicator& world) {
    std::vector<T> all(static_cast<std::size_t>(world.size()));
    world.all_gather_into(std::as_bytes(std::span(&mine, 1)),
                          std::as_writable_bytes(std::span(all)));
    return all;
}

std::size_t entries_of(std::span<const CoveragePanel::Told> told) {
    std::size_t size = 0;
    for (const CoveragePanel::Told& one : told)
        size += static_cast<std::size_t>(one.size);
    return size;
}

// Similarities fall with the distance: the nearest centre is the most similar one.
std::vector<float> covered_by_centers(const ShortlistShare& share, const DiversityOptions& options,
                                      const AllRows& all, const Similarity& similarity) {
    std::vector<float> covered(all.rows.size(), 0.0F);
    if (share.num_centers == 0) return covered;
    ShortlistShare whole = share;
    whole.rows = all.rows;
    whole.features = all.view();
    const std::vector<float> nearest = nearest_centers(whole, options);
    std::transform(nearest.begin(), nearest.end(), covered.begin(),
                   [&](float squared) { return similarity.of(squared); });
    return covered;
}

}  // namespace

Coverage::Coverage(const ShortlistShare& share, const DiversityOptions& options, const AllRows& all,
                   const Similarity& similarity, std::vector<double> weights,
                   comm::Communicator& world)
    : share_(share),
      options_(options),
      world_(world),
      all_rows_(all.size()),
      num_picks_(std::clamp<std::int64_t>(options.num_picks, 0, all.size())),
      cover_{covered_by_centers(share, options, all, similarity), std::move(weights)},
      gains_(share, all, similarity, options.num_threads),
      seen_(share.rows.size(), 0),
      taken_(share.rows.size(), 0) {
    for (std::size_t i = 0; i < cover_.weights.size(); ++i) {
        if (cover_.weights[i] == 0.0) cover_.covered[i] = std::numeric_limits<float>::infinity();
    }
}

// Of what all ranks want, as of the rows.
std::int64_t Coverage::own_part(std::int64_t wanted) const {
    return std::max<std::int64_t>(1, wanted * std::ssize(taken_) / all_rows_);
}

Gain Coverage::gain(std::int64_t local) const {
    return {gains_.gain(local), share_.rows[static_cast<std::size_t>(local)]};
}

// Own candidates that are not picked yet and for which `wanted` holds, ascending.
template <typename Wanted>
std::vector<BoundOfRow> Coverage::free_candidates(const Wanted& wanted) const {
    std::vector<BoundOfRow> rows;
    for (std::int64_t i = 0; i < std::ssize(taken_); ++i) {
        if (taken_[static_cast<std::size_t>(i)] == 0 && wanted(i))
            rows.push_back({gains_.gain(i), i});
    }
    return rows;
}

// Brings candidates up to date until on no rank a stale one is above the floor, which at most
// `count` of a rank are not below. \collective
Gain Coverage::refresh_best(std::int64_t count) {
    constexpr std::int64_t least_chunk = 64;
    struct Reach {
        Gain worst_kept;
        Gain best_stale;
    };
    const auto num_picked = std::ssize(batch_.picks);
    const auto is_fresh = [&](std::int64_t i) {
        return seen_[static_cast<std::size_t>(i)] == num_picked;
    };
    Gain floor;
    std::vector<BoundOfRow> fresh = free_candidates(is_fresh);
    std::vector<BoundOfRow> stale = free_candidates([&](std::int64_t i) { return !is_fresh(i); });
    for (std::int64_t chunk = std::max(least_chunk, count);; chunk *= 2) {
        Reach own;
        const std::int64_t worst = keep_best(fresh, count);
        if (worst >= 0) own.worst_kept = gain(fresh[static_cast<std::size_t>(worst)].local);
        for (const BoundOfRow& one : stale)
            own.best_stale = std::max(own.best_stale, gain(one.local), comes_later);
        const std::vector<Reach> reaches = of_all_ranks(own, world_);
        for (const Reach& reach : reaches)
            floor = std::max(floor, reach.worst_kept, comes_later);
        if (std::all_of(reaches.begin(), reaches.end(), [&](const Reach& reach) {
                return reach.best_stale.row < 0 || beats(floor, reach.best_stale);
            }))
            return floor;
        std::erase_if(stale, [&](const BoundOfRow& one) { return beats(floor, gain(one.local)); });
        const std::vector<std::int64_t> next = locals_of(take_best(stale, chunk));
        gains_.refresh(next, cover_);
        batch_.rows_refreshed += std::ssize(next);
        for (const std::int64_t local : next) {
            seen_[static_cast<std::size_t>(local)] = num_picked;
            fresh.push_back({gains_.gain(local), local});
        }
    }
}

// Own candidates that are not below the floor, ascending, but for those that a rank would need more
// than its part of memory to tell: they raise the floor. The best of all ranks is always among
// them. \collective
std::vector<std::int64_t> Coverage::leave_out(Gain& floor) const {
    struct Offer {
        Gain best;
        Gain left_out;
    };
    std::vector<std::int64_t> best_first =
        locals_of(free_candidates([&](std::int64_t i) { return !beats(floor, gain(i)); }));
    std::sort(best_first.begin(), best_first.end(),
              [&](std::int64_t i, std::int64_t j) { return beats(gain(i), gain(j)); });
    std::int64_t room = columns_of_a_panel * std::ssize(taken_);
    auto end = best_first.begin();
    while (end != best_first.end() && (room -= gains_.list_size(*end)) >= 0)
        ++end;
    const Offer own{best_first.empty() ? Gain{} : gain(best_first.front()),
                    end == best_first.end() ? Gain{} : gain(*end)};
    Gain best;
    for (const Offer& offer : of_all_ranks(own, world_)) {
        best = std::max(best, offer.best, comes_later);
        floor = std::max(floor, offer.left_out, comes_later);
    }
    if (end == best_first.begin() && end != best_first.end() && own.best.row == best.row) ++end;
    best_first.erase(end, best_first.end());
    std::sort(best_first.begin(), best_first.end());
    return best_first;
}

// The panel of these candidates of all ranks. \collective
CoveragePanel Coverage::tell(const std::vector<std::int64_t>& locals) const {
    std::vector<CoveragePanel::Told> told;
    std::vector<UncoveredRows> own = gains_.lists(locals, cover_);
    for (const UncoveredRows& list : own)
        told.push_back({gain(locals[told.size()]), std::ssize(list)});
    UncoveredRows entries;
    entries.reserve(entries_of(told));
    for (UncoveredRows& list : own) {
        entries.insert(entries.end(), list.begin(), list.end());
        UncoveredRows().swap(list);  // its memory is free for the next
    }
    told = world_.all_gather(std::span<const CoveragePanel::Told>(told));
    UncoveredRows lists(entries_of(told));
    world_.all_gather_into(std::as_bytes(std::span(std::as_const(entries))),
                           std::as_writable_bytes(std::span(lists)));
    return {told, std::move(lists), std::ssize(batch_.picks)};
}

// The greedy in a panel; all other candidates are below the floor.
void Coverage::pick_among(CoveragePanel& panel, const Gain& floor) {
    const std::int64_t before = num_left();
    while (num_left() > 0) {
        const Gain best = panel.best(floor, cover_);
        if (best.row < 0 || beats(floor, best)) break;
        panel.take_best(cover_);
        const std::int64_t local = find_row(share_, best.row);
        if (local >= 0) taken_[static_cast<std::size_t>(local)] = 1;
        batch_.picks.push_back({best.row, static_cast<float>(best.gain)});
    }
    for (const CoveragePanel::Row& row : panel.rows()) {
        const std::int64_t local = find_row(share_, row.gain.row);
        if (local < 0) continue;
        gains_.set_gain(local, row.gain.gain);
        seen_[static_cast<std::size_t>(local)] = row.seen;
    }
    require(num_left() < before, ExitCode::internal, "diversify: a round without a pick");
    if (options_.progress != nullptr) options_.progress->advance(before - num_left());
}

DiverseBatch Coverage::pick() {
    constexpr std::int64_t rows_a_pick_left = 8;
    constexpr std::int64_t least_panel = 128;
    if (num_left() > 0) gains_.look_at_all(cover_);
    while (num_left() > 0) {
        leave_if_stopped(world_);
        const std::int64_t wanted =
            std::min({most_panel_rows, panel_rows_a_pick * (std::ssize(batch_.picks) + 1),
                      std::max(least_panel, rows_a_pick_left * num_left())});
        Gain floor = refresh_best(own_part(wanted));
        CoveragePanel panel = tell(leave_out(floor));
        pick_among(panel, floor);
        ++batch_.rounds;
    }
    return std::move(batch_);
}

DiversityForecast Coverage::forecast(const DiversitySizes& sizes) {
    constexpr std::int64_t picks_a_round = 40;
    constexpr auto real = static_cast<std::int64_t>(sizeof(float));
    const std::int64_t rows = sizes.shortlist_rows;
    const std::int64_t columns = std::min(columns_of_a_panel, rows) + 1;
    const std::int64_t panel = columns * rows * static_cast<std::int64_t>(sizeof(SimilarRow));
    DiversityForecast forecast;
    forecast.rounds = std::min(sizes.num_picks, sizes.num_picks / picks_a_round + 10);
    // While rows are gathered nothing else is there; a panel's own lists stay until all have come.
    forecast.memory_bytes =
        std::max(all_rows_memory(sizes),
                 rows * sizes.dim * real + CandidateGains::memory(sizes) + 2 * panel + rows * 64);
    forecast.bytes_received = rows * (sizes.dim * 4 + 12) + forecast.rounds * panel / 2;
    return forecast;
}

}  // namespace sluice::select
