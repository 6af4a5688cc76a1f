#pragma once

#include "select/diversity.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// Squared distances of the share's rows to their nearest centre [rows], +inf without one; given
/// `numbers`, fills in which centre that is (ties to the lower number; -1: none). \collective
std::vector<float> nearest_centers(const ShortlistShare& share, const DiversityOptions& options,
                                   std::vector<std::int32_t>* numbers = nullptr);

/// The row with the best score of all shares: what a traversal without any centre starts with; -1
/// if all are empty. \collective
RowId best_scored(const ShortlistShare& share, comm::Communicator& world);

/// A share's row of this number, -1 if it is another rank's.
std::int64_t find_row(const ShortlistShare& share, RowId row);

}  // namespace sluice::select
