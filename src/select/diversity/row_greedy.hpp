#pragma once

#include "core/error.hpp"
#include "core/stop.hpp"
#include "select/diversity.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace sluice::select {

/// A row and what it would bring: higher first, ties to the lower row. No row: row -1, which loses
/// against all.
struct Gain {
    double gain = 0.0;
    RowId row = -1;
};
inline bool better(const Gain& left, const Gain& right) {
    if (left.row < 0 || right.row < 0) return right.row < 0 && left.row >= 0;
    return left.gain > right.gain || (left.gain == right.gain && left.row < right.row);
}

/// The best of all ranks' gains; row -1 if no rank has any. \collective
Gain best_of_ranks(const Gain& mine, comm::Communicator& world);

/// Throws AgreedError(try_again) once a stop signal has reached any rank. \collective
void leave_if_stopped(comm::Communicator& world);

/// The best row of a share that is still free by `gain(local)`.
template <typename GainOf>
Gain best_free(std::span<const RowId> rows, std::span<const std::uint8_t> taken,
               const GainOf& gain) {
    Gain best;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (taken[i] != 0) continue;
        const Gain one{gain(i), rows[i]};
        if (better(one, best)) best = one;
    }
    return best;
}

/// The one-at-a-time greedy: whatever gains do from pick to pick, the best row of all shares is
/// picked, and every rank takes in what its owner knows of it. An Objective has
///   Gain best(std::int64_t pick) const;           the share's best free row
///   std::vector<Objective::Value> say(local);     what all ranks have to know of a picked row
///   void take(Gain pick, std::int64_t local, std::span<const Value> said);
///                                                 local: -1 for another rank's row
///   float value(Gain pick) const;                 DiversePick::value of what take() has just taken
/// Each step on a row uses nothing but what belongs to that row and to the picks, so neither the
/// number of ranks nor the sharing can be seen in the result. Three exchanges a pick. \collective
template <typename Objective>
DiverseBatch pick_by_rows(const ShortlistShare& share, const DiversityOptions& options,
                          Objective& objective, comm::Communicator& world) {
    DiverseBatch batch;
    const std::int64_t num_rows = world.sum(static_cast<std::int64_t>(share.rows.size()));
    const std::int64_t num_picks = std::clamp<std::int64_t>(options.num_picks, 0, num_rows);
    for (std::int64_t number = 0; number < num_picks; ++number) {
        if (number % 64 == 0) leave_if_stopped(world);
        const Gain winner = best_of_ranks(objective.best(number), world);
        require(winner.row >= 0, ExitCode::internal, "diversify: no row is left to pick");
        const auto found = std::lower_bound(share.rows.begin(), share.rows.end(), winner.row);
        const bool is_mine = found != share.rows.end() && *found == winner.row;
        const std::int64_t local = is_mine ? found - share.rows.begin() : -1;
        std::vector<typename Objective::Value> said;
        if (is_mine) said = objective.say(local);
        said = world.all_gather(std::span<const typename Objective::Value>(said));
        objective.take(winner, local, said);
        batch.picks.push_back({winner.row, objective.value(winner)});
        if (options.progress != nullptr) options.progress->advance(1);
    }
    batch.rounds = num_picks;
    return batch;
}

}  // namespace sluice::select
