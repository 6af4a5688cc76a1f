#include "select/diversity/race_rounds.hpp"

#include "kernels/race_rows.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

// That none of the true chances passes a bar which `rows_a_draw` pass on average has a probability
// of e^-rows_a_draw.
constexpr double rows_a_draw = 16.0;
// Rows told in a round, about.
constexpr double most_told = 8192.0;
constexpr std::int64_t first_draws = 32;
constexpr std::int64_t most_draws = 512;
// Below it a pass over all rows costs less than the rows told in vain.
constexpr double least_kept = 0.4;
constexpr std::size_t rows_at_once = 8;

}  // namespace

RaceRounds::RaceRounds(const ShortlistShare& share, const DiversityOptions& options, Spread& spread,
                       std::vector<double> weights, comm::Communicator& world)
    : share_(share),
      options_(options),
      spread_(spread),
      weights_(std::move(weights)),
      world_(world),
      num_picks_(std::clamp<std::int64_t>(options.num_picks, 0,
                                          world.sum(static_cast<std::int64_t>(share.rows.size())))),
      chances_(share.rows.size()),
      taken_(share.rows.size(), 0),
      most_draws_(first_draws) {
    update_chances();
}

Race RaceRounds::race_of(std::int64_t draw) const {
    return {options_.seed, options_.round, num_picked() + draw, clock_};
}

std::int64_t RaceRounds::find(RowId row) const {
    const auto found = std::lower_bound(share_.rows.begin(), share_.rows.end(), row);
    return found != share_.rows.end() && *found == row ? found - share_.rows.begin() : -1;
}

void RaceRounds::update_chances() {
    for (std::size_t i = 0; i < chances_.size(); ++i) {
        chances_[i] = taken_[i] != 0 ? 0.0 : spread_.of(static_cast<std::int64_t>(i)) * weights_[i];
    }
}

// Not the same for any sharing of the rows, and need not be.
double RaceRounds::sum_of_chances() {
    double mine = 0.0;
    for (const double chance : chances_)
        mine += chance;
    double sum = 0.0;
    for (const double of_rank : world_.all_gather(std::span<const double>(&mine, 1)))
        sum += of_rank;
    return sum;
}

void RaceRounds::refresh() {
    spread_.refresh();
    update_chances();
    kept_ = 1.0;
    batch_.rows_refreshed += static_cast<std::int64_t>(chances_.size());
}

void RaceRounds::pick_first(const Gain& mine) {
    if (num_picks_ > 0) pick_one(mine);
}

// One exchange for one pick.
void RaceRounds::pick_one(const Gain& mine) {
    const Gain winner = best_of_ranks(mine, world_);
    require(winner.row >= 0, ExitCode::internal, "diversify: no row is left to pick");
    std::vector<float> told;
    std::vector<double> spread;
    const std::int64_t local = find(winner.row);
    if (local >= 0) {
        told.resize(static_cast<std::size_t>(spread_.width()));
        spread_.tell(local, told.data());
        spread.push_back(spread_.of(local));
        taken_[static_cast<std::size_t>(local)] = 1;
    }
    told = world_.all_gather(std::span<const float>(told));
    spread = world_.all_gather(std::span<const double>(spread));
    batch_.picks.push_back({winner.row, spread_.value(spread.front())});
    spread_.add_pick(told);
    refresh();
    ++batch_.rounds;
    if (options_.progress != nullptr) options_.progress->advance(1);
}

DiverseBatch RaceRounds::pick() {
    while (num_picked() < num_picks_) {
        leave_if_stopped(world_);
        const double total = sum_of_chances();
        const bool can_race = total > 0.0 && std::isfinite(total);
        if (can_race && run_round(total)) continue;
        // Nothing but copies of picks is left, or the bar was too high for all.
        if (spread_.num_pending() > 0) {
            refresh();
            continue;
        }
        if (total == 0.0 && clock_ == Race::Clock::cluster_seeds) break;
        pick_one(race_of(0).winner(share_.rows, taken_, chances_));
    }
    return std::move(batch_);
}

// Returns whether there was a pick.
bool RaceRounds::run_round(double total) {
    Round round;
    round.bar = total * kept_ / rows_a_draw;
    if (!(round.bar >= std::numeric_limits<double>::min())) return false;
    const double affordable = most_told * kept_ / rows_a_draw;
    round.num_draws = std::min({most_draws_, num_picks_ - num_picked(),
                                std::max<std::int64_t>(1, std::llround(affordable))});
    gather(own_entries(round), round);
    ++batch_.rounds;
    const std::int64_t before = num_picked();
    kept_sum_ = 0.0;
    auto begin = round.entries.begin();
    for (std::int64_t draw = 0; draw < round.num_draws; ++draw) {
        const auto end = std::find_if(begin, round.entries.end(),
                                      [&](const Entry& one) { return one.draw > draw; });
        std::int64_t winner = -1;
        const Gain gain = hold(round, {begin, end}, winner);
        if (winner < 0 || !(gain.gain > round.bar)) break;
        take(round, winner);
        begin = end;
    }
    const std::int64_t picked = num_picked() - before;
    if (picked == 0) return false;
    kept_ = std::clamp(kept_sum_ / static_cast<double>(picked), 0.05, 1.0);
    if (picked == round.num_draws) most_draws_ = std::min(most_draws, 2 * most_draws_);
    if (kept_ < least_kept && num_picked() < num_picks_) refresh();
    if (options_.progress != nullptr) options_.progress->advance(picked);
    return true;
}

// Of this rank's rows, with local indices for entrants.
std::vector<RaceRounds::Entry> RaceRounds::own_entries(const Round& round) const {
    std::vector<std::uint32_t> limits(chances_.size());
    std::transform(chances_.begin(), chances_.end(), limits.begin(),
                   [&](double chance) { return Race::last_word(chance, round.bar); });
    const kernels::RaceDraws draws{options_.seed,
                                   Race::purpose(clock_),
                                   options_.round,
                                   static_cast<std::uint32_t>(num_picked()),
                                   static_cast<std::uint32_t>(round.num_draws),
                                   Race::top_word(clock_)};
    std::vector<Entry> entries;
    for (const kernels::EarlyRow& early :
         kernels::early_rows(draws, share_.rows, limits, options_.num_threads)) {
        const auto i = static_cast<std::size_t>(early.row);
        if (!(chances_[i] > 0.0)) continue;
        const Gain gain = race_of(early.draw).gain(share_.rows[i], chances_[i]);
        if (gain.gain > round.bar) entries.push_back({early.draw, early.row, gain.gain});
    }
    return entries;
}

// \collective
void RaceRounds::gather(std::vector<Entry> own, Round& round) {
    std::vector<std::int64_t> locals(own.size());
    std::transform(own.begin(), own.end(), locals.begin(),
                   [](const Entry& entry) { return entry.entrant; });
    std::sort(locals.begin(), locals.end());
    locals.erase(std::unique(locals.begin(), locals.end()), locals.end());
    const std::int64_t first = world_.exclusive_sum(std::ssize(locals));
    for (Entry& entry : own) {
        entry.entrant = first + (std::lower_bound(locals.begin(), locals.end(), entry.entrant) -
                                 locals.begin());
    }
    const auto width = static_cast<std::size_t>(spread_.width());
    std::vector<Entrant> entrants;
    std::vector<float> told(locals.size() * width);
    for (const std::int64_t local : locals) {
        spread_.tell(local, told.data() + entrants.size() * width);
        const auto i = static_cast<std::size_t>(local);
        entrants.push_back({share_.rows[i], spread_.of(local), weights_[i]});
    }
    round.entrants = world_.all_gather(std::span<const Entrant>(entrants));
    round.told = world_.all_gather(std::span<const float>(told));
    round.entries = world_.all_gather(std::span<const Entry>(own));
    std::sort(round.entries.begin(), round.entries.end(), [](const Entry& a, const Entry& b) {
        return a.draw < b.draw || (a.draw == b.draw && a.gain > b.gain);
    });
}

// The winner among some entries of one draw and its gain.
Gain RaceRounds::hold(Round& round, std::span<const Entry> entries, std::int64_t& winner) {
    Gain best;
    for (std::size_t begin = 0; begin < entries.size(); begin += rows_at_once) {
        // What follows has smaller bounds.
        if (best.row >= 0 && entries[begin].gain < best.gain) break;
        const auto some = entries.subspan(begin, std::min(rows_at_once, entries.size() - begin));
        catch_up(round, some);
        for (const Entry& entry : some) {
            const Entrant& entrant = round.entrants[static_cast<std::size_t>(entry.entrant)];
            const Gain gain = race_of(0).gain(entrant.row, entrant.chance());
            // The first one stands for all rows, in proportion to their chances.
            if (&entry == &entries.front() && gain.gain > 0.0) kept_sum_ += gain.gain / entry.gain;
            if (entrant.taken || !beats(gain, best)) continue;
            best = gain;
            winner = entry.entrant;
        }
    }
    return best;
}

void RaceRounds::catch_up(Round& round, std::span<const Entry> entries) {
    std::vector<std::int64_t> which;
    std::vector<double> spreads;
    std::int64_t first = spread_.num_pending();
    for (const Entry& entry : entries) {
        const Entrant& entrant = round.entrants[static_cast<std::size_t>(entry.entrant)];
        if (entrant.seen == spread_.num_pending()) continue;
        which.push_back(entry.entrant);
        spreads.push_back(entrant.spread);
        first = std::min(first, entrant.seen);
    }
    if (which.empty()) return;
    spread_.lower(round.told, which, first, spreads);
    for (std::size_t j = 0; j < which.size(); ++j) {
        Entrant& entrant = round.entrants[static_cast<std::size_t>(which[j])];
        entrant.spread = spreads[j];
        entrant.seen = spread_.num_pending();
    }
}

void RaceRounds::take(Round& round, std::int64_t winner) {
    Entrant& entrant = round.entrants[static_cast<std::size_t>(winner)];
    entrant.taken = true;
    const std::int64_t local = find(entrant.row);
    if (local >= 0) {
        taken_[static_cast<std::size_t>(local)] = 1;
        chances_[static_cast<std::size_t>(local)] = 0.0;
    }
    batch_.picks.push_back({entrant.row, spread_.value(entrant.spread)});
    const auto width = static_cast<std::size_t>(spread_.width());
    spread_.add_pick(std::span<const float>(round.told)
                         .subspan(static_cast<std::size_t>(winner) * width, width));
}

DiversityForecast RaceRounds::forecast(const DiversitySizes& sizes, std::int64_t width) {
    // Rows told for a pick: 16 to 40, as the chances that are left shrink.
    constexpr std::int64_t told_a_pick = 25;
    constexpr std::int64_t picks_a_round = 64;
    const std::int64_t row_bytes = width * static_cast<std::int64_t>(sizeof(float)) +
                                   static_cast<std::int64_t>(sizeof(Entrant));
    const std::int64_t picks = std::min(sizes.num_picks, sizes.shortlist_rows);
    const std::int64_t told = std::min<std::int64_t>(2 * 8192, told_a_pick * picks);
    DiversityForecast forecast;
    forecast.memory_bytes = sizes.share_rows * 29 + 2 * told * (row_bytes + 24) + picks * row_bytes;
    forecast.rounds = (picks + picks_a_round - 1) / picks_a_round + 1;
    forecast.bytes_received = told_a_pick * picks * (row_bytes + 24);
    return forecast;
}

}  // namespace sluice::select
