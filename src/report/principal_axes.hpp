#pragma once

#include "comm/communicator.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice::report {

/// The two directions in which rows vary most.
struct PrincipalAxes {
    std::int64_t rows = 0;     ///< that they were found from
    std::vector<double> mean;  ///< [D]
    std::array<std::vector<double>, 2>
        axis;                       ///< [D] of length 1; the largest component is positive
    std::array<double, 2> share{};  ///< of the variance; 0 where nothing varies

    /// Where a row of features [D] lies along an axis.
    double project(std::span<const float> row, std::size_t number) const;
};

/// Rows [n, dim] of this rank, all finite; at most 2^22 over all ranks. Features are turned into
/// whole numbers (2^20 = the largest feature of all), products of which add up exactly in any
/// order, so the axes are the same, bit for bit, for any number of ranks. \collective
PrincipalAxes principal_axes(std::span<const float> rows, std::int64_t dim,
                             comm::Communicator& world);

}  // namespace sluice::report
