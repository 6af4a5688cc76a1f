#pragma once

#include "select/diversity.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// The whole shortlist in the memory of every rank, for sums over rows that are the same
/// everywhere: each rank adds them up itself, in the order of rows.
struct AllRows {
    std::vector<RowId> rows;      ///< ascending
    std::vector<float> scores;    ///< [rows]
    std::vector<float> features;  ///< [rows, D]
    std::int64_t dim = 0;

    std::int64_t size() const { return static_cast<std::int64_t>(rows.size()); }
    kernels::MatrixView view() const { return {features.data(), size(), dim}; }

    /// The place of a row.
    std::int64_t find(RowId row) const;
};

/// Gathers all shares. \collective
AllRows gather_all_rows(const ShortlistShare& share, comm::Communicator& world);

/// Memory of one rank for the rows of all, while they are gathered.
std::int64_t all_rows_memory(const DiversitySizes& sizes);

}  // namespace sluice::select
