#pragma once

#include "select/diversity.hpp"

#include <cstdint>

/// The two ways of FIRAL: of dense matrices, and of estimates and blocks.
namespace sluice::select {

/// Whether dense matrices are used: up to 256 parameters (features x classes), and up to 2^28 rows
/// x parameters^2.
bool firal_is_exact(std::int64_t num_rows, std::int64_t dim, std::int64_t classes);

/// \collective
DiverseBatch firal_exact(const ShortlistShare& share, const DiversityOptions& options,
                         comm::Communicator& world);
DiverseBatch firal_by_blocks(const ShortlistShare& share, const DiversityOptions& options,
                             comm::Communicator& world);

/// For firal_by_blocks. Throws Error(usage) for more work than a stated bound.
DiversityForecast forecast_firal_by_blocks(const DiversitySizes& sizes);

}  // namespace sluice::select
