#pragma once

#include "comm/communicator.hpp"
#include "core/types.hpp"
#include "kernels/nearest_center.hpp"
#include "select/diversity/row_greedy.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// The `count` best of all ranks' gains, in order, the same on all ranks. \collective
std::vector<Gain> best_of_ranks(std::vector<Gain> mine, std::int64_t count,
                                comm::Communicator& world);

/// Features [wanted, D] of some rows of shares that are ascending and disjoint, in the order asked
/// for, on every rank. \collective
std::vector<float> gather_rows(std::span<const RowId> rows, kernels::MatrixView features,
                               std::span<const RowId> wanted, comm::Communicator& world);

}  // namespace sluice::select
