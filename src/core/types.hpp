#pragma once

#include "core/host_device.hpp"

#include <compare>
#include <cstdint>

namespace sluice {

/// Global 0-based row of the pool, counted over all pool files in the order given.
using RowId = std::int64_t;

/// Rows [begin, end).
struct RowRange {
    RowId begin = 0;
    RowId end = 0;

    SLUICE_HD constexpr RowId size() const { return end - begin; }
    SLUICE_HD constexpr bool empty() const { return end <= begin; }
    friend constexpr bool operator==(const RowRange&, const RowRange&) = default;
};

/// A row and its score. Scores are finite; higher means "label this first".
struct Candidate {
    float score = 0.0F;
    RowId row = 0;

    friend constexpr bool operator==(const Candidate&, const Candidate&) = default;
};

/// The one total order of sluice: higher score first, ties to the lower row.
/// Distances and gains use the same order with the distance in place of the score.
SLUICE_HD constexpr bool better(const Candidate& left, const Candidate& right) {
    return left.score > right.score || (left.score == right.score && left.row < right.row);
}

}  // namespace sluice
