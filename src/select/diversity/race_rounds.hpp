#pragma once

#include "select/diversity.hpp"
#include "select/diversity/race.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// How far rows are from what has been picked, in a measure that no pick makes larger. Distances of
/// the share's rows lag behind: they account for the picks before the last refresh(), the later
/// ones are pending.
class Spread {
  public:
    virtual ~Spread() = default;

    /// Floats that tell a row to another rank.
    virtual std::int64_t width() const = 0;
    virtual void tell(std::int64_t local, float* to) const = 0;

    /// Of a row of the share.
    virtual double of(std::int64_t local) const = 0;

    /// One more pending pick.
    virtual void add_pick(std::span<const float> told) = 0;
    virtual std::int64_t num_pending() const = 0;

    /// Brings the share's rows up to date; nothing is pending any more.
    virtual void refresh() = 0;

    /// spreads[j], of the row told[which[j]] ([n, width]), which accounts for the picks before the
    /// pending ones and for the `first` first of these, is brought up to date: bit for bit what
    /// refresh() makes of such a row.
    virtual void lower(std::span<const float> told, std::span<const std::int64_t> which,
                       std::int64_t first, std::span<double> spreads) const = 0;

    /// DiversePick::value of a row picked at this distance.
    virtual float value(double spread) const = 0;
};

/// Draws rows with probabilities in proportion to weight x spread, the picks that a Race of all
/// rows for each pick would make, to the bit, in rounds: a gain of the race with a spread that lags
/// behind is an upper bound. In a round those rows alone whose bound is above a common bar in one
/// of the next draws are told to all ranks, which then hold these draws among them. A draw counts
/// if its winner is above the bar, and so above all rows that were not told; the first one that is
/// not ends the round. Whatever the bar, the picks are the same: it is set from a rounded sum of
/// all ranks' chances such that some 16 rows a draw pass it.
class RaceRounds {
  public:
    /// Weights [rows of the share] >= 0. The spread and the others must outlive this object.
    RaceRounds(const ShortlistShare& share, const DiversityOptions& options, Spread& spread,
               std::vector<double> weights, comm::Communicator& world);

    /// The same for the seeds of clusters, which ends where no row is at a distance any more.
    void draw_seeds() { clock_ = Race::Clock::cluster_seeds; }

    /// Makes the best of the ranks' rows the first pick, if any is wanted. \collective
    void pick_first(const Gain& mine);

    /// Picks the others. \collective
    DiverseBatch pick();

    /// Rounds and bytes for rows of `width` floats.
    static DiversityForecast forecast(const DiversitySizes& sizes, std::int64_t width);

  private:
    // A row that may win one of the draws of a round.
    struct Entrant {
        RowId row = 0;
        double spread = 0.0;
        double weight = 0.0;
        std::int64_t seen = 0;  // pending picks that the spread accounts for
        bool taken = false;

        double chance() const { return spread * weight; }
    };
    // A draw that an entrant may win, and its gain there at most.
    struct Entry {
        std::int64_t draw = 0;
        std::int64_t entrant = 0;
        double gain = 0.0;
    };
    struct Round {
        double bar = 0.0;
        std::int64_t num_draws = 0;
        std::vector<Entrant> entrants;
        std::vector<float> told;
        std::vector<Entry> entries;  // by draw, the largest gain first
    };

    std::int64_t num_picked() const { return std::ssize(batch_.picks); }
    Race race_of(std::int64_t draw) const;
    void update_chances();
    double sum_of_chances();
    void refresh();
    void pick_one(const Gain& mine);
    bool run_round(double total);
    std::vector<Entry> own_entries(const Round& round) const;
    void gather(std::vector<Entry> own, Round& round);
    Gain hold(Round& round, std::span<const Entry> entries, std::int64_t& winner);
    void catch_up(Round& round, std::span<const Entry> entries);
    void take(Round& round, std::int64_t winner);
    std::int64_t find(RowId row) const;

    const ShortlistShare& share_;
    const DiversityOptions& options_;
    Spread& spread_;
    std::vector<double> weights_;
    comm::Communicator& world_;
    std::int64_t num_picks_;
    std::vector<double> chances_;      // [rows] at most; 0 for rows taken
    std::vector<std::uint8_t> taken_;  // [rows]
    Race::Clock clock_ = Race::Clock::picks;
    double kept_ = 1.0;      // estimate of true chances / chances
    double kept_sum_ = 0.0;  // of a round, to estimate it from
    std::int64_t most_draws_;
    DiverseBatch batch_;
};

}  // namespace sluice::select
