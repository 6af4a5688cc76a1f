#include "kernels/nearest_center_cpu.hpp"

#include "kernels/aligned_floats.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <array>

namespace sluice::kernels {
namespace {

// Packed centres of one pass stay in the second-level cache beside the rows that stream by.
constexpr std::int64_t packed_bytes = std::int64_t{1} << 20;
// Up to this many panels of centres it is cheaper to pack the rows than to waste lanes.
constexpr std::int64_t few_panels = 3;
constexpr std::int64_t tiles_per_task = 8;

constexpr int most_singles = 8;
constexpr int most_lanes = 48;

std::int64_t ceil_divide(std::int64_t value, std::int64_t by) {
    return (value + by - 1) / by;
}

// Rows are the singles, centres the lanes: packed centres `panels`, rows [begin, end).
void relax_rows_as_singles(const NearestCenterTiles& tiles, const RowSelection& selection,
                           RowRange range, const float* panels, std::int64_t num_panels,
                           std::span<float> nearest) {
    const std::int64_t dim = selection.rows.dim;
    const float* singles[most_singles] = {};
    float least[most_singles];
    std::array<float, most_singles * most_lanes> distances;
    for (std::int64_t begin = range.begin; begin < range.end; begin += tiles.max_singles) {
        const int count =
            static_cast<int>(std::min<std::int64_t>(tiles.max_singles, range.end - begin));
        for (int s = 0; s < count; ++s) {
            singles[s] = selection.row(begin + s);
            least[s] = nearest[static_cast<std::size_t>(selection.index(begin + s))];
        }
        for (std::int64_t panel = 0; panel < num_panels; panel += tiles.max_panels) {
            const int width =
                static_cast<int>(std::min<std::int64_t>(tiles.max_panels, num_panels - panel));
            if (!tiles.distances(singles, count, panels + panel * dim * tiles.lanes, width, dim,
                                 least, distances.data())) {
                continue;
            }
            const int num_lanes = width * tiles.lanes;
            for (int s = 0; s < count; ++s) {
                for (int j = 0; j < num_lanes; ++j) {
                    least[s] = std::min(least[s], distances[s * num_lanes + j]);
                }
            }
        }
        for (int s = 0; s < count; ++s) {
            nearest[static_cast<std::size_t>(selection.index(begin + s))] = least[s];
        }
    }
}

// Packs the vectors that vector_at(0), ... vector_at(count - 1) point to, a panel after the other.
template <typename VectorAt>
void pack_panels(const NearestCenterTiles& tiles, std::int64_t count, std::int64_t dim,
                 float* panels, const VectorAt& vector_at) {
    const float* vectors[most_lanes] = {};
    for (std::int64_t begin = 0; begin < count; begin += tiles.lanes) {
        const int width = static_cast<int>(std::min<std::int64_t>(tiles.lanes, count - begin));
        for (int j = 0; j < width; ++j)
            vectors[j] = vector_at(begin + j);
        tiles.pack(vectors, width, dim, panels + begin * dim);
    }
}

// Centres are the singles, rows the lanes; for the rows [begin, end), which fit one tile.
void relax_rows_as_lanes(const NearestCenterTiles& tiles, const RowSelection& selection,
                         RowRange range, MatrixView centers, std::span<float> nearest) {
    static thread_local AlignedFloats packed_rows;
    const std::int64_t dim = centers.dim;
    const int count = static_cast<int>(range.size());
    const int num_panels = static_cast<int>(ceil_divide(count, tiles.lanes));
    const int num_lanes = num_panels * tiles.lanes;
    float* const panels = packed_rows.reserve(num_lanes * dim);
    pack_panels(tiles, count, dim, panels,
                [&](std::int64_t i) { return selection.row(range.begin + i); });

    std::array<float, most_lanes> least;
    for (int j = 0; j < count; ++j) {
        least[j] = nearest[static_cast<std::size_t>(selection.index(range.begin + j))];
    }
    const float* singles[most_singles] = {};
    float limits[most_singles];
    std::array<float, most_singles * most_lanes> distances;
    for (std::int64_t first = 0; first < centers.rows; first += tiles.max_singles) {
        const int width =
            static_cast<int>(std::min<std::int64_t>(tiles.max_singles, centers.rows - first));
        for (int s = 0; s < width; ++s)
            singles[s] = centers.row(first + s);
        std::fill_n(limits, width, *std::max_element(least.begin(), least.begin() + count));
        if (!tiles.distances(singles, width, panels, num_panels, dim, limits, distances.data())) {
            continue;
        }
        for (int s = 0; s < width; ++s) {
            for (int j = 0; j < count; ++j) {
                least[j] = std::min(least[j], distances[s * num_lanes + j]);
            }
        }
    }
    for (int j = 0; j < count; ++j) {
        nearest[static_cast<std::size_t>(selection.index(range.begin + j))] = least[j];
    }
}

void relax_with_few_centers(const NearestCenterTiles& tiles, const RowSelection& selection,
                            MatrixView centers, std::span<float> nearest, int num_threads) {
    const std::int64_t rows_per_tile = std::int64_t{tiles.lanes} * tiles.max_panels;
    const std::int64_t rows_per_task = rows_per_tile * tiles_per_task;
    parallel_for(num_threads, ceil_divide(selection.count, rows_per_task), [&](std::int64_t task) {
        const std::int64_t end = std::min(selection.count, (task + 1) * rows_per_task);
        for (std::int64_t begin = task * rows_per_task; begin < end; begin += rows_per_tile) {
            relax_rows_as_lanes(tiles, selection, {begin, std::min(end, begin + rows_per_tile)},
                                centers, nearest);
        }
    });
}

void relax_with_many_centers(const NearestCenterTiles& tiles, const RowSelection& selection,
                             MatrixView centers, std::span<float> nearest, int num_threads) {
    static thread_local AlignedFloats packed_centers;
    const std::int64_t dim = centers.dim;
    const std::int64_t centers_per_tile = std::int64_t{tiles.lanes} * tiles.max_panels;
    const std::int64_t fitting = packed_bytes / static_cast<std::int64_t>(sizeof(float)) /
                                 std::max<std::int64_t>(dim, 1) / centers_per_tile;
    const std::int64_t centers_per_pass = std::max<std::int64_t>(1, fitting) * centers_per_tile;
    const std::int64_t rows_per_task = std::int64_t{tiles.max_singles} * tiles_per_task;
    for (std::int64_t first = 0; first < centers.rows; first += centers_per_pass) {
        const std::int64_t count = std::min(centers_per_pass, centers.rows - first);
        const std::int64_t num_panels = ceil_divide(count, tiles.lanes);
        float* const panels = packed_centers.reserve(num_panels * tiles.lanes * dim);
        pack_panels(tiles, count, dim, panels,
                    [&](std::int64_t i) { return centers.row(first + i); });
        parallel_for(
            num_threads, ceil_divide(selection.count, rows_per_task), [&](std::int64_t task) {
                const std::int64_t begin = task * rows_per_task;
                const std::int64_t end = std::min(selection.count, begin + rows_per_task);
                relax_rows_as_singles(tiles, selection, {begin, end}, panels, num_panels, nearest);
            });
    }
}

}  // namespace

void relax_nearest_cpu(const RowSelection& selection, MatrixView centers, std::span<float> nearest,
                       int num_threads) {
    const NearestCenterTiles& tiles = nearest_center_tiles();
    if (centers.rows <= few_panels * tiles.lanes) {
        relax_with_few_centers(tiles, selection, centers, nearest, num_threads);
    } else {
        relax_with_many_centers(tiles, selection, centers, nearest, num_threads);
    }
}

PackedRows::PackedRows(MatrixView rows, std::span<const std::int64_t> picked) : dim_(rows.dim) {
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const auto count = static_cast<std::int64_t>(picked.size());
    pack_panels(tiles, count, dim_,
                panels_.reserve(ceil_divide(count, tiles.lanes) * tiles.lanes * dim_),
                [&](std::int64_t i) { return rows.row(picked[static_cast<std::size_t>(i)]); });
}

void PackedRows::relax(const float* center, std::span<float> nearest) const {
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const std::int64_t rows_per_tile = std::int64_t{tiles.lanes} * tiles.max_panels;
    const auto num_rows = static_cast<std::int64_t>(nearest.size());
    std::array<float, most_lanes> distances;
    for (std::int64_t begin = 0; begin < num_rows; begin += rows_per_tile) {
        const std::int64_t count = std::min(rows_per_tile, num_rows - begin);
        float* const least = nearest.data() + begin;
        const float limit = *std::max_element(least, least + count);
        if (!tiles.distances(&center, 1, panels_.data() + begin * dim_,
                             static_cast<int>(ceil_divide(count, tiles.lanes)), dim_, &limit,
                             distances.data())) {
            continue;
        }
        for (std::int64_t j = 0; j < count; ++j) {
            least[j] = std::min(least[j], distances[static_cast<std::size_t>(j)]);
        }
    }
}

}  // namespace sluice::kernels
