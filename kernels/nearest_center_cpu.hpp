#pragma once

#include "core/types.hpp"
#include "kernels/nearest_center.hpp"

#include <cstdint>
#include <span>

namespace sluice::kernels {

/// The inner loops of nearest_center, built once for each instruction set with the same results.
///
/// The distance is symmetric bit for bit (d and -d have the same square), so one tile serves both
/// shapes of the problem: some vectors are read element by element ("singles"), the others lie in
/// panels [dim][lanes], a vector to a lane. With many centres the centres are packed, with few the
/// rows are, and no lane idles.
struct NearestCenterTiles {
    int lanes = 0;        ///< vectors in a panel
    int max_singles = 0;  ///< most singles of a tile
    int max_panels = 0;   ///< most panels of a tile

    /// panel[k * lanes + j] = vectors[min(j, count - 1)][k] for k < dim; 1 <= count <= lanes.
    void (*pack)(const float* const* vectors, int count, std::int64_t dim, float* panel);

    /// distances[s * num_panels * lanes + p * lanes + j] = squared distance of single s to lane j
    /// of panel p; panel p begins at panels + p * dim * lanes. Returns a bit for each single s that
    /// has a distance below limits[s]; only their distances are specified. Partial sums never
    /// fall, so that there is none is often known early. Requires dim > 0.
    unsigned (*distances)(const float* const* singles, int num_singles, const float* panels,
                          int num_panels, std::int64_t dim, const float* limits, float* distances);

    /// The canonical squared distance of two vectors.
    float (*squared_distance)(const float* x, const float* y, std::int64_t dim);
};

const NearestCenterTiles& nearest_center_tiles_baseline();
const NearestCenterTiles& nearest_center_tiles_avx2();
const NearestCenterTiles& nearest_center_tiles_avx512();

/// The tiles for the instruction set in use.
const NearestCenterTiles& nearest_center_tiles();

/// Rows of a matrix: all of them, or those listed.
template <typename Index>
struct Selection {
    MatrixView all;
    std::span<const Index> picked;
    std::int64_t count = 0;

    explicit Selection(MatrixView matrix) : all(matrix), count(matrix.rows) {}
    Selection(MatrixView matrix, std::span<const Index> some)
        : all(matrix), picked(some), count(static_cast<std::int64_t>(some.size())) {}

    std::int64_t index(std::int64_t i) const {
        return picked.empty() ? i : picked[static_cast<std::size_t>(i)];
    }
    const float* row(std::int64_t i) const { return all.row(index(i)); }
};
using RowSelection = Selection<std::int64_t>;
using CenterSelection = Selection<std::int32_t>;

/// relax_nearest_of on the CPU and on the GPU.
void relax_nearest_cpu(const RowSelection& selection, MatrixView centers,
                       const NearestCenters& nearest, int num_threads);
void relax_nearest_cuda(const RowSelection& selection, MatrixView centers,
                        const NearestCenters& nearest);

/// The rows [range) of the selection, at most lanes * max_panels of them, packed for this one call.
void relax_packed_rows(const RowSelection& selection, RowRange range,
                       const CenterSelection& centers, const NearestCenters& nearest);

}  // namespace sluice::kernels
