#include "kernels/near_pairs.hpp"

#include "core/error.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/nearest_center_cpu.hpp"

#include <algorithm>
#include <array>

namespace sluice::kernels {
namespace {

constexpr int most_singles = 8;
constexpr int most_lanes = 48;

// Rows are the lanes: they change from call to call, and queries may be few.
int pack_rows(MatrixView rows, AlignedFloats& packed) {
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const int num_panels = static_cast<int>((rows.rows + tiles.lanes - 1) / tiles.lanes);
    float* const panels = packed.reserve(std::int64_t{num_panels} * tiles.lanes * rows.dim);
    const float* vectors[most_lanes] = {};
    for (std::int64_t begin = 0; begin < rows.rows; begin += tiles.lanes) {
        const auto count = std::min<std::int64_t>(tiles.lanes, rows.rows - begin);
        for (std::int64_t j = 0; j < count; ++j)
            vectors[j] = rows.row(begin + j);
        tiles.pack(vectors, static_cast<int>(count), rows.dim, panels + begin * rows.dim);
    }
    return num_panels;
}

// Takes rows that make one tile.
void append_of_tile(MatrixView rows, RowId first_row, MatrixView queries,
                    std::span<const float> limits, std::vector<NearPair>& found) {
    static thread_local AlignedFloats packed;
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const int num_panels = pack_rows(rows, packed);
    const float* singles[most_singles] = {};
    std::array<float, most_singles * most_lanes> distances;
    for (std::int64_t first = 0; first < queries.rows; first += tiles.max_singles) {
        const int width =
            static_cast<int>(std::min<std::int64_t>(tiles.max_singles, queries.rows - first));
        for (int s = 0; s < width; ++s)
            singles[s] = queries.row(first + s);
        const float* const limit = limits.data() + first;
        const unsigned below = tiles.distances(singles, width, packed.data(), num_panels, rows.dim,
                                               limit, distances.data());
        for (int s = 0; s < width; ++s) {
            if ((below >> s & 1U) == 0) continue;
            const float* const own = distances.data() + std::int64_t{s} * num_panels * tiles.lanes;
            for (std::int64_t i = 0; i < rows.rows; ++i) {
                if (!(own[i] < limit[s])) continue;
                found.push_back({static_cast<std::int32_t>(first_row + i),
                                 static_cast<std::int32_t>(first + s), own[i]});
            }
        }
    }
}

}  // namespace

void append_near_pairs(MatrixView rows, MatrixView queries, std::span<const float> limits,
                       std::vector<NearPair>& found) {
    if (rows.rows == 0 || queries.rows == 0) return;
    require(rows.dim == queries.dim && rows.dim > 0 &&
                static_cast<std::int64_t>(limits.size()) == queries.rows,
            ExitCode::internal, "append_near_pairs: rows, queries and limits do not fit");
    const NearestCenterTiles& tiles = nearest_center_tiles();
    const std::int64_t at_once = std::int64_t{tiles.lanes} * tiles.max_panels;
    for (RowId first = 0; first < rows.rows; first += at_once) {
        append_of_tile({rows.row(first), std::min(at_once, rows.rows - first), rows.dim}, first,
                       queries, limits, found);
    }
}

}  // namespace sluice::kernels
