#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::select {

/// A row at a squared distance from a query.
struct NearRow {
    float squared = 0.0F;
    RowId row = 0;

    /// The order of neighbours: nearer first, ties to the lower row.
    friend bool operator<(const NearRow& left, const NearRow& right) {
        return left.squared < right.squared ||
               (left.squared == right.squared && left.row < right.row);
    }
};

/// A near row that knows its query, to be sent to another rank.
struct NearRowOfQuery {
    std::int64_t query = 0;
    NearRow near;
};

/// Keeps the `capacity` nearest rows of each query, whatever order they are offered in. Not
/// thread-safe.
class NearestCollector {
  public:
    NearestCollector(std::int64_t num_queries, std::int64_t capacity);

    void offer(std::int64_t query, const NearRow& near);

    /// [queries] Rows at this distance or farther need not be offered; infinity while there is
    /// room. One step above the farthest kept distance: a tie may still be the lower row.
    std::span<const float> limits() const { return limits_; }

    /// All that is kept of queries [range), by query, nearest first.
    std::vector<NearRowOfQuery> sorted(RowRange queries) const;

  private:
    std::int64_t capacity_;
    std::vector<std::vector<NearRow>> heaps_;  // [queries], farthest on top
    std::vector<float> limits_;
};

}  // namespace sluice::select
