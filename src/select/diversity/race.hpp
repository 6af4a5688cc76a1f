#pragma once

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
    std::uint64_t seed = 0;
    std::uint32_t round = 1;
    std::int64_t pick = 0;

    /// weight / -ln(u), which never rises when the weight falls; for a weight of 0 the negative
    /// time, so that such rows win only against each other, with the same chance each.
    Gain gain(RowId row, double weight) const;

    /// The best free row of a share. Weights are >= 0.
    Gain winner(std::span<const RowId> rows, std::span<const std::uint8_t> taken,
                std::span<const double> weights) const;

  private:
    double rest(RowId row) const;
};

}  // namespace sluice::select
