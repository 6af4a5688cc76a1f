#pragma once

#include "core/types.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/backend.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::kernels {

/// Rows of float32 in memory, row-major [rows, dim].
struct MatrixView {
    const float* data = nullptr;
    std::int64_t rows = 0;
    std::int64_t dim = 0;

    const float* row(std::int64_t index) const { return data + index * dim; }
};

/// The canonical squared distance: acc = fma(d, d, acc) with d = x[k] - y[k], k ascending from
/// acc = 0, in float32. No cancellation, and one order on every back end.
float squared_distance(const float* x, const float* y, std::int64_t dim);

/// nearest[i] = min(nearest[i], min over j of squared_distance(rows[i], centers[j])) for all rows.
/// Exact minimum of canonical distances: the result does not depend on blocking or threads.
/// `num_threads` >= 1 threads of this process share the rows.
void relax_nearest(Backend backend, MatrixView rows, MatrixView centers, std::span<float> nearest,
                   int num_threads);

/// The same for the rows picked[0], picked[1], ... only.
void relax_nearest_of(Backend backend, MatrixView rows, std::span<const std::int64_t> picked,
                      MatrixView centers, std::span<float> nearest, int num_threads);

/// The nearest centres of some rows.
struct NearestCenters {
    std::span<float> distance;       ///< [rows] squared distance to it
    std::span<std::int32_t> center;  ///< [rows] its number; -1: unknown; empty: not wanted
    std::int32_t first = 0;          ///< number of centre 0 of those given with this
};

/// The same, telling the centres apart: where a distance falls, its centre is set, of equals the
/// first.
void relax_nearest_of(Backend backend, MatrixView rows, std::span<const std::int64_t> picked,
                      MatrixView centers, const NearestCenters& nearest, int num_threads);

/// How many rows relax_nearest_by takes in one go.
int rows_at_a_time();

/// The same for at most rows_at_a_time() rows and the centres chosen[0], chosen[1], ... only, on
/// the calling thread of the CPU.
void relax_nearest_by(MatrixView rows, std::span<const std::int64_t> picked, MatrixView centers,
                      std::span<const std::int32_t> chosen, const NearestCenters& nearest);

/// Some rows laid out for relaxing them by one centre after the other, on the calling thread; for
/// sets of rows that stay in cache.
class PackedRows {
  public:
    /// Copies the rows picked[0], picked[1], ...
    PackedRows(MatrixView rows, std::span<const std::int64_t> picked);

    /// Relaxes nearest.distance[i], of row picked[i], by one centre, number nearest.first.
    void relax(const float* center, const NearestCenters& nearest) const;

    /// out[c * stride + i] = squared_distance(row picked[rows.begin + i], centers[c]) for the rows
    /// of the range, which begins at a multiple of 32.
    void distances(MatrixView centers, RowRange rows, float* out, std::int64_t stride) const;

  private:
    std::int64_t dim_;
    AlignedFloats panels_;
};

/// Scales each row to unit length in canonical arithmetic (dot by FMA chain, IEEE sqrt and
/// division). Returns the index of the first row that cannot be scaled (zero or not finite norm),
/// or -1. Half the squared distance of scaled rows is their cosine distance.
std::int64_t normalize_rows(float* data, std::int64_t rows, std::int64_t dim);

}  // namespace sluice::kernels
