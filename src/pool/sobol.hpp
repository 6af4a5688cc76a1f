#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::pool {

/// Points of Sobol's low-discrepancy sequence, moved by a random digital shift. Point r depends on
/// the seed and r alone, so any rank may make any rows. The first 2^m points fill every elementary
/// interval of the unit cube as evenly as the sequence does, whatever the seed.
/// \source Sobol', "On the distribution of points in a cube and the approximate evaluation of
///         integrals", 1967; direction numbers: Joe and Kuo, "Constructing Sobol sequences with
///         better two-dimensional projections", SIAM Journal on Scientific Computing 2008; order of
///         points: Antonov and Saleev 1979 (Gray code); shift: L'Ecuyer and Lemieux, "Recent
///         advances in randomized quasi-Monte Carlo methods", 2002
class SobolPoints {
  public:
    /// Dimensions there are direction numbers for.
    static constexpr std::int64_t max_dims = 40;

    /// Throws Error(internal) unless 1 <= dims <= max_dims.
    SobolPoints(std::int64_t dims, std::uint64_t seed);

    std::int64_t dims() const { return static_cast<std::int64_t>(shifts_.size()); }

    /// The rows' points [rows.size(), dims], each coordinate in (0, 1).
    void fill(RowRange rows, std::span<double> out) const;

  private:
    static constexpr std::size_t num_digits = 52;  // a double in (0, 1) holds no more

    std::vector<std::uint64_t> shifts_;      // [dims]
    std::vector<std::uint64_t> directions_;  // [num_digits, dims], so that a step reads one row
};

}  // namespace sluice::pool
