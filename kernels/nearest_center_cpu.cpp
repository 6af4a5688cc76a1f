#include "kernels/nearest_center_cpu.hpp"

#include "kernels/aligned_floats.hpp"
#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <array>
#include <limits>

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

// The nearest centres of the rows of one tile, taken out of all rows' and put back.
class TileNearest {
  public:
    TileNearest(const RowSelection& selection, RowRange range, const NearestCenters& nearest)
        : selection_(selection), range_(range), nearest_(nearest) {
        for (RowId i = range.begin; i < range.end; ++i) {
            const auto position = static_cast<std::size_t>(i - range.begin);
            distances_[position] = nearest.distance[static_cast<std::size_t>(selection.index(i))];
            centers_[position] = -1;
        }
    }

    void offer(int position, float distance, std::int64_t center) {
        const auto i = static_cast<std::size_t>(position);
        if (!(distance < distances_[i])) return;
        distances_[i] = distance;
        centers_[i] = nearest_.first + static_cast<std::int32_t>(center);
    }

    const float* distances() const { return distances_.data(); }
    float largest() const {
        return *std::max_element(distances_.begin(), distances_.begin() + range_.size());
    }

    void put_back() const {
        for (RowId i = range_.begin; i < range_.end; ++i) {
            const auto position = static_cast<std::size_t>(i - range_.begin);
            if (centers_[position] < 0) continue;  // nothing came nearer
            const auto row = static_cast<std::size_t>(selection_.index(i));
            nearest_.distance[row] = distances_[position];
            if (!nearest_.center.empty()) nearest_.center[row] = centers_[position];
        }
    }

  private:
    const RowSelection& selection_;
    RowRange range_;
    const NearestCenters& nearest_;
    std::array<float, most_lanes> distances_;
    std::array<std::int32_t, most_lanes> centers_;
};

// Centres laid out in panels.
struct PackedCenters {
    const float* panels = nullptr;
    std::int64_t first = 0;  // number of the first one among all centres given
    std::int64_t count = 0;
};

// Rows are the singles, centres the lanes.
void relax_singles(const RowSelection& selection, RowRange range, const PackedCenters& centers,
                   const NearestCenters& nearest) {
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const std::int64_t dim = selection.all.dim;
    const std::int64_t num_panels = ceil_divide(centers.count, tiles.lanes);
    const int count = static_cast<int>(range.size());
    TileNearest least(selection, range, nearest);
    const float* singles[most_singles] = {};
    for (int s = 0; s < count; ++s)
        singles[s] = selection.row(range.begin + s);
    std::array<float, most_singles * most_lanes> distances;
    for (std::int64_t panel = 0; panel < num_panels; panel += tiles.max_panels) {
        const int width =
            static_cast<int>(std::min<std::int64_t>(tiles.max_panels, num_panels - panel));
        const unsigned below =
            tiles.distances(singles, count, centers.panels + panel * dim * tiles.lanes, width, dim,
                            least.distances(), distances.data());
        // The last panel repeats its last centre to the end.
        const int num_lanes = static_cast<int>(std::min<std::int64_t>(
            std::int64_t{width} * tiles.lanes, centers.count - panel * tiles.lanes));
        for (int s = 0; s < count; ++s) {
            if ((below >> s & 1U) == 0) continue;
            for (int j = 0; j < num_lanes; ++j) {
                least.offer(s, distances[static_cast<std::size_t>(s * width * tiles.lanes + j)],
                            centers.first + panel * tiles.lanes + j);
            }
        }
    }
    least.put_back();
}

// Packs the vectors that vector_at(0), ... vector_at(count - 1) point to, a panel after the other.
template <typename VectorAt>
void pack_panels(std::int64_t count, std::int64_t dim, float* panels, const VectorAt& vector_at) {
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const float* vectors[most_lanes] = {};
    for (std::int64_t begin = 0; begin < count; begin += tiles.lanes) {
        const int width = static_cast<int>(std::min<std::int64_t>(tiles.lanes, count - begin));
        for (int j = 0; j < width; ++j)
            vectors[j] = vector_at(begin + j);
        tiles.pack(vectors, width, dim, panels + begin * dim);
    }
}

void relax_with_few_centers(const RowSelection& selection, const CenterSelection& centers,
                            const NearestCenters& nearest, int num_threads) {
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const std::int64_t rows_per_tile = std::int64_t{tiles.lanes} * tiles.max_panels;
    const std::int64_t rows_per_task = rows_per_tile * tiles_per_task;
    parallel_for(num_threads, ceil_divide(selection.count, rows_per_task), [&](std::int64_t task) {
        const std::int64_t end = std::min(selection.count, (task + 1) * rows_per_task);
        for (std::int64_t begin = task * rows_per_task; begin < end; begin += rows_per_tile) {
            relax_packed_rows(selection, {begin, std::min(end, begin + rows_per_tile)}, centers,
                              nearest);
        }
    });
}

void relax_with_many_centers(const RowSelection& selection, MatrixView centers,
                             const NearestCenters& nearest, int num_threads) {
    static thread_local AlignedFloats packed_centers;
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const std::int64_t dim = centers.dim;
    const std::int64_t centers_per_tile = std::int64_t{tiles.lanes} * tiles.max_panels;
    const std::int64_t fitting =
        packed_bytes / static_cast<std::int64_t>(sizeof(float)) / dim / centers_per_tile;
    const std::int64_t centers_per_pass = std::max<std::int64_t>(1, fitting) * centers_per_tile;
    const std::int64_t rows_per_task = std::int64_t{tiles.max_singles} * tiles_per_task;
    for (std::int64_t first = 0; first < centers.rows; first += centers_per_pass) {
        const std::int64_t count = std::min(centers_per_pass, centers.rows - first);
        const std::int64_t num_lanes = ceil_divide(count, tiles.lanes) * tiles.lanes;
        float* const panels = packed_centers.reserve(num_lanes * dim);
        pack_panels(count, dim, panels, [&](std::int64_t i) { return centers.row(first + i); });
        const PackedCenters packed{panels, first, count};
        parallel_for(
            num_threads, ceil_divide(selection.count, rows_per_task), [&](std::int64_t task) {
                const std::int64_t end = std::min(selection.count, (task + 1) * rows_per_task);
                for (std::int64_t begin = task * rows_per_task; begin < end;
                     begin += tiles.max_singles) {
                    relax_singles(selection, {begin, std::min(end, begin + tiles.max_singles)},
                                  packed, nearest);
                }
            });
    }
}

}  // namespace

// Centres are the singles, rows the lanes.
void relax_packed_rows(const RowSelection& selection, RowRange range,
                       const CenterSelection& centers, const NearestCenters& nearest) {
    static thread_local AlignedFloats packed_rows;
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const std::int64_t dim = selection.all.dim;
    const int count = static_cast<int>(range.size());
    const int num_panels = static_cast<int>(ceil_divide(count, tiles.lanes));
    const int num_lanes = num_panels * tiles.lanes;
    float* const panels = packed_rows.reserve(num_lanes * dim);
    pack_panels(count, dim, panels, [&](std::int64_t i) { return selection.row(range.begin + i); });
    TileNearest least(selection, range, nearest);
    const float* singles[most_singles] = {};
    float limits[most_singles];
    std::array<float, most_singles * most_lanes> distances;
    for (std::int64_t first = 0; first < centers.count; first += tiles.max_singles) {
        const int width =
            static_cast<int>(std::min<std::int64_t>(tiles.max_singles, centers.count - first));
        for (int s = 0; s < width; ++s)
            singles[s] = centers.row(first + s);
        std::fill_n(limits, width, least.largest());
        const unsigned below =
            tiles.distances(singles, width, panels, num_panels, dim, limits, distances.data());
        for (int s = 0; s < width; ++s) {
            if ((below >> s & 1U) == 0) continue;
            for (int j = 0; j < count; ++j) {
                least.offer(j, distances[static_cast<std::size_t>(s * num_lanes + j)],
                            centers.index(first + s));
            }
        }
    }
    least.put_back();
}

void relax_nearest_cpu(const RowSelection& selection, MatrixView centers,
                       const NearestCenters& nearest, int num_threads) {
    if (centers.rows <= few_panels * nearest_center_tiles().lanes) {
        relax_with_few_centers(selection, CenterSelection(centers), nearest, num_threads);
    } else {
        relax_with_many_centers(selection, centers, nearest, num_threads);
    }
}

PackedRows::PackedRows(MatrixView rows, std::span<const std::int64_t> picked) : dim_(rows.dim) {
    const std::int64_t lanes = nearest_center_tiles().lanes;
    const auto count = static_cast<std::int64_t>(picked.size());
    pack_panels(count, dim_, panels_.reserve(ceil_divide(count, lanes) * lanes * dim_),
                [&](std::int64_t i) { return rows.row(picked[static_cast<std::size_t>(i)]); });
}

void PackedRows::relax(const float* center, const NearestCenters& nearest) const {
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const std::int64_t rows_per_tile = std::int64_t{tiles.lanes} * tiles.max_panels;
    const auto num_rows = static_cast<std::int64_t>(nearest.distance.size());
    const RowSelection selection({nullptr, num_rows, dim_});
    std::array<float, most_lanes> distances;
    for (std::int64_t begin = 0; begin < num_rows; begin += rows_per_tile) {
        const std::int64_t count = std::min(rows_per_tile, num_rows - begin);
        TileNearest least(selection, {begin, begin + count}, nearest);
        const float limit = least.largest();
        if (tiles.distances(&center, 1, panels_.data() + begin * dim_,
                            static_cast<int>(ceil_divide(count, tiles.lanes)), dim_, &limit,
                            distances.data()) == 0) {
            continue;
        }
        for (int j = 0; j < count; ++j)
            least.offer(j, distances[static_cast<std::size_t>(j)], 0);
        least.put_back();
    }
}

void PackedRows::distances(MatrixView centers, RowRange rows, float* out,
                           std::int64_t stride) const {
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const std::int64_t rows_per_tile = std::int64_t{tiles.lanes} * tiles.max_panels;
    std::array<float, most_singles * most_lanes> of_tile;
    float limits[most_singles];
    std::fill_n(limits, most_singles, std::numeric_limits<float>::infinity());
    for (std::int64_t begin = rows.begin; begin < rows.end; begin += rows_per_tile) {
        const std::int64_t num_rows = std::min(rows_per_tile, rows.end - begin);
        const int num_panels = static_cast<int>(ceil_divide(num_rows, tiles.lanes));
        for (std::int64_t first = 0; first < centers.rows; first += tiles.max_singles) {
            const int width =
                static_cast<int>(std::min<std::int64_t>(tiles.max_singles, centers.rows - first));
            const float* singles[most_singles] = {};
            for (int s = 0; s < width; ++s)
                singles[s] = centers.row(first + s);
            const unsigned below = tiles.distances(singles, width, panels_.data() + begin * dim_,
                                                   num_panels, dim_, limits, of_tile.data());
            for (int s = 0; s < width; ++s) {
                float* const to = out + (first + s) * stride + (begin - rows.begin);
                // Not below infinity: all of them are there.
                if ((below >> s & 1U) == 0) {
                    std::fill_n(to, num_rows, limits[s]);
                } else {
                    std::copy_n(of_tile.data() + std::int64_t{s} * num_panels * tiles.lanes,
                                num_rows, to);
                }
            }
        }
    }
}

}  // namespace sluice::kernels
