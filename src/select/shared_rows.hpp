#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

/// Rows that are shared out over the ranks: shares are ascending and disjoint, in any way.
namespace sluice::select {

/// A row and a number of float64 to choose by.
struct Ranked {
    double value = 0.0;
    RowId row = std::numeric_limits<RowId>::max();
};

/// Higher value first, ties to the lower row.
inline bool before(const Ranked& left, const Ranked& right) {
    return left.value > right.value || (left.value == right.value && left.row < right.row);
}

/// The first of all ranks' candidates; `mine` has row -1 if this rank has none. Row -1 if no rank
/// has one. \collective
Ranked first_of_all(const Ranked& mine, comm::Communicator& world);

/// The `count` first of all ranks' candidates, in order, the same on all ranks. \collective
std::vector<Ranked> first_of_all(std::vector<Ranked> mine, std::int64_t count,
                                 comm::Communicator& world);

/// Position of a row in a share, -1 if it is another rank's.
std::int64_t position_of(std::span<const RowId> rows, RowId row);

/// Features [wanted, D] of some rows, in the order asked for, on every rank. \collective
std::vector<float> gather_rows(std::span<const RowId> rows, kernels::MatrixView features,
                               std::span<const RowId> wanted, comm::Communicator& world);

}  // namespace sluice::select
