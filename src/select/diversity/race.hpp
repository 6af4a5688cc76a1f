#pragma once

#include "core/philox.hpp"
#include "select/diversity/row_greedy.hpp"

#include <cstdint>
#include <span>

namespace sluice::select {

/// A draw of one row of all shares with a probability in proportion to its weight, as the end of a
/// race: row i arrives at -ln(u_i) / weight_i, u_i uniform by the seed, round, pick and row, and
/// the first to arrive wins. The probability is exact, the winner a maximum, which no order of rows
/// and no number of ranks changes. The keys of different picks are independent.
/// \source Efraimidis and Spirakis 2006, Inf. Process. Lett. 97, 181-185.
struct Race {
    /// Whose random words, and with how many bits of time.
    enum class Clock { picks, cluster_seeds };

    std::uint64_t seed = 0;
    std::uint32_t round = 1;
    std::int64_t pick = 0;
    Clock clock = Clock::picks;

    /// weight / -ln(u), which never rises when the weight falls; for a weight of 0 the negative
    /// time, so that such rows win only against each other, with the same chance each.
    Gain gain(RowId row, double weight) const;

    /// The best free row of a share. Weights are >= 0.
    Gain winner(std::span<const RowId> rows, std::span<const std::uint8_t> taken,
                std::span<const double> weights) const;

    static RandomPurpose purpose(Clock clock);
    /// The random word that has the top bits of 1 - u.
    static int top_word(Clock clock) { return clock == Clock::picks ? 1 : 0; }

    /// Rows of this weight whose top_word is larger have no gain above `bar` > 0: few others need
    /// to be looked at.
    static std::uint32_t last_word(double weight, double bar);

  private:
    double rest(RowId row) const;
    Gain gain_of_rest(RowId row, double rest, double weight) const;
};

}  // namespace sluice::select
