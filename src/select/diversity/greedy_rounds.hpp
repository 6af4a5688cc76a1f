#pragma once

#include "select/diversity.hpp"
#include "select/diversity/row_greedy.hpp"

#include <algorithm>
#include <span>
#include <vector>

namespace sluice::select {

inline constexpr std::int64_t rows_of_a_panel = 2048;
inline constexpr std::int64_t most_rows_of_a_panel = 8192;

/// What a rule needs that picks in these rounds, for rows told by `width` floats.
DiversityForecast forecast_in_rounds(const DiversitySizes& sizes, std::int64_t width);

/// A row of a share and its gain at most.
struct BoundOfRow {
    double gain = 0.0;
    std::int64_t local = 0;
};
std::vector<std::int64_t> locals_of(const std::vector<BoundOfRow>& rows);

/// Keeps the `count` best and returns where the worst of them is; -1 if there are fewer.
std::int64_t keep_best(std::vector<BoundOfRow>& rows, std::int64_t count);

/// Takes about `count` of the best out of rows, at least one if there is any, and leaves the
/// others; the order stays.
std::vector<BoundOfRow> take_best(std::vector<BoundOfRow>& rows, std::int64_t count);

/// The picks of pick_by_rows, to the bit, in rounds, for gains that never rise from pick to pick: a
/// gain that does not account for the last picks is an upper bound. In a round the rows of the
/// largest gains are brought up to date until some thousands of them are above all others,
/// a panel that is told to all ranks; there the greedy runs for as long as its best row is above
/// the best bound outside. An Objective has
///   double gain(std::int64_t local) const;     of a row of the share, by what it accounts for
///   bool is_fresh(std::int64_t local) const;   whether it accounts for all picks
///   void refresh(std::span<const std::int64_t> locals);           makes it do so
///   State state(std::int64_t local) const;     numbers that a gain comes from
///   void set_state(std::int64_t local, const State& state);       up to date
///   std::int64_t width() const; void tell(std::int64_t local, float* to) const;
/// and, for rows told [n, width] that are up to date, constructed from (Objective&,
/// std::span<const float> told, std::span<const State>), an Objective::Panel with
///   double gain(std::int64_t i) const; float value(std::int64_t i) const; State state(...) const;
///   void take(std::int64_t i);                 a pick, for the panel and for the share
/// Each step on a row uses nothing but what belongs to that row and to the picks.
/// \source Minoux 1978 for the stale bounds.
template <typename Objective>
class GreedyRounds {
  public:
    GreedyRounds(const ShortlistShare& share, const DiversityOptions& options, Objective& objective,
                 comm::Communicator& world)
        : share_(share),
          options_(options),
          objective_(objective),
          world_(world),
          num_rows_(world.sum(std::ssize(share.rows))),
          num_picks_(std::clamp<std::int64_t>(options.num_picks, 0, num_rows_)),
          taken_(share.rows.size(), 0) {}

    /// Makes the best of the ranks' rows the first pick, if any is wanted. \collective
    void pick_first(const Gain& mine) {
        if (num_picks_ == 0) return;
        const Gain winner = best_of_ranks(mine, world_);
        std::vector<std::int64_t> locals;
        const std::int64_t local = find(winner.row);
        if (local >= 0) locals.push_back(local);
        pick_among(locals, {}, 1);
        // What is known without any pick may be no bound that can be compared.
        locals.clear();
        for (std::int64_t i = 0; i < std::ssize(taken_); ++i) {
            if (taken_[static_cast<std::size_t>(i)] == 0) locals.push_back(i);
        }
        objective_.refresh(locals);
    }

    /// Picks the others. \collective
    DiverseBatch pick() {
        while (num_left() > 0) {
            leave_if_stopped(world_);
            const std::int64_t before = num_left();
            const std::int64_t wanted =
                std::min(panel_rows_, std::max(least_panel, panel_rows_a_pick * num_left()));
            const Gain floor = refresh_best(own_part(wanted));
            pick_among(rows_from(floor), floor, num_left());
            require(num_left() < before, ExitCode::internal, "diversify: a round without a pick");
            if (before - num_left() < few_picks)
                panel_rows_ = std::min(2 * panel_rows_, most_rows_of_a_panel);
        }
        return std::move(batch_);
    }

  private:
    using State = typename Objective::State;

    // A round with fewer picks makes the panels of the later ones larger.
    static constexpr std::int64_t few_picks = 50;
    static constexpr std::int64_t least_panel = 128;
    static constexpr std::int64_t panel_rows_a_pick = 8;
    static constexpr std::int64_t least_chunk = 256;

    std::int64_t num_left() const { return num_picks_ - std::ssize(batch_.picks); }

    // Of what all ranks want, as of the rows.
    std::int64_t own_part(std::int64_t wanted) const {
        return std::max<std::int64_t>(1, wanted * std::ssize(taken_) / num_rows_);
    }

    std::int64_t find(RowId row) const {
        const auto found = std::lower_bound(share_.rows.begin(), share_.rows.end(), row);
        return found != share_.rows.end() && *found == row ? found - share_.rows.begin() : -1;
    }

    // Free rows of the share for which `wanted` holds, by local index, ascending.
    template <typename Wanted>
    std::vector<BoundOfRow> free_rows(const Wanted& wanted) const {
        std::vector<BoundOfRow> rows;
        for (std::int64_t i = 0; i < std::ssize(taken_); ++i) {
            if (taken_[static_cast<std::size_t>(i)] == 0 && wanted(i))
                rows.push_back({objective_.gain(i), i});
        }
        return rows;
    }

    Gain gain(const BoundOfRow& one) const {
        return {one.gain, share_.rows[static_cast<std::size_t>(one.local)]};
    }

    std::vector<std::int64_t> rows_from(const Gain& floor) const {
        return locals_of(free_rows([&](std::int64_t i) {
            return !beats(floor, gain({objective_.gain(i), i}));
        }));
    }

    // Brings rows up to date until on no rank a stale one is above the floor, which at most `count`
    // rows of a rank are not below. \collective
    Gain refresh_best(std::int64_t count) {
        Gain floor;
        std::vector<BoundOfRow> fresh =
            free_rows([&](std::int64_t i) { return objective_.is_fresh(i); });
        std::vector<BoundOfRow> stale =
            free_rows([&](std::int64_t i) { return !objective_.is_fresh(i); });
        for (std::int64_t chunk = std::max(least_chunk, count);; chunk *= 2) {
            const std::int64_t worst = keep_best(fresh, count);
            const Gain best = best_of_ranks(
                worst < 0 ? Gain{} : gain(fresh[static_cast<std::size_t>(worst)]), world_);
            if (beats(best, floor)) floor = best;
            std::erase_if(stale, [&](const BoundOfRow& one) { return beats(floor, gain(one)); });
            const std::vector<std::int64_t> next = locals_of(take_best(stale, chunk));
            if (world_.sum(std::ssize(next)) == 0) return floor;
            objective_.refresh(next);
            batch_.rows_refreshed += std::ssize(next);
            for (const std::int64_t local : next)
                fresh.push_back({objective_.gain(local), local});
        }
    }

    // The greedy among rows of all ranks; all other rows are below the floor. \collective
    void pick_among(const std::vector<std::int64_t>& locals, const Gain& floor,
                    std::int64_t num_picks) {
        std::vector<RowId> rows;
        std::vector<State> states;
        std::vector<float> told(locals.size() * static_cast<std::size_t>(objective_.width()));
        for (const std::int64_t local : locals) {
            objective_.tell(local, told.data() + std::ssize(rows) * objective_.width());
            rows.push_back(share_.rows[static_cast<std::size_t>(local)]);
            states.push_back(objective_.state(local));
        }
        const std::int64_t first = world_.exclusive_sum(std::ssize(rows));
        rows = world_.all_gather(std::span<const RowId>(rows));
        states = world_.all_gather(std::span<const State>(states));
        told = world_.all_gather(std::span<const float>(told));
        ++batch_.rounds;

        typename Objective::Panel panel(objective_, told, states);
        std::vector<std::uint8_t> out(rows.size(), 0);
        std::int64_t picked = 0;
        for (; picked < num_picks; ++picked) {
            const Gain best = best_free(
                rows, out, [&](std::size_t i) { return panel.gain(static_cast<std::int64_t>(i)); });
            if (best.row < 0 || beats(floor, best)) break;
            const auto place = std::find(rows.begin(), rows.end(), best.row) - rows.begin();
            out[static_cast<std::size_t>(place)] = 1;
            batch_.picks.push_back({best.row, panel.value(place)});
            panel.take(place);
        }
        for (std::size_t i = 0; i < locals.size(); ++i) {
            const std::int64_t place = first + static_cast<std::int64_t>(i);
            objective_.set_state(locals[i], panel.state(place));
            taken_[static_cast<std::size_t>(locals[i])] = out[static_cast<std::size_t>(place)];
        }
        if (options_.progress != nullptr) options_.progress->advance(picked);
    }

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    Objective& objective_;
    comm::Communicator& world_;
    std::int64_t num_rows_;
    std::int64_t num_picks_;
    std::vector<std::uint8_t> taken_;
    std::int64_t panel_rows_ = rows_of_a_panel;
    DiverseBatch batch_;
};

}  // namespace sluice::select
