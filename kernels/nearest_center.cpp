#include "kernels/nearest_center.hpp"

#include "core/error.hpp"
#include "kernels/nearest_center_cpu.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::kernels {
namespace {

const NearestCenterTiles& choose_tiles() {
    const std::string name = cpu_instruction_set();
    if (name == "avx512") return nearest_center_tiles_avx512();
    if (name == "avx2") return nearest_center_tiles_avx2();
    return nearest_center_tiles_baseline();
}

void relax(Backend backend, const RowSelection& selection, MatrixView centers,
           std::span<float> nearest, int num_threads) {
    require(selection.rows.dim == centers.dim || centers.rows == 0, ExitCode::internal,
            "relax_nearest: rows and centres differ in their number of features");
    require(static_cast<std::int64_t>(nearest.size()) == selection.rows.rows, ExitCode::internal,
            "relax_nearest: one distance a row is needed");
    if (selection.count == 0 || centers.rows == 0) return;
    if (backend == Backend::cuda) {
        relax_nearest_cuda(selection, centers, nearest);
    } else {
        relax_nearest_cpu(selection, centers, nearest, num_threads);
    }
}

}  // namespace

const NearestCenterTiles& nearest_center_tiles() {
    static const NearestCenterTiles& chosen = choose_tiles();
    return chosen;
}

float squared_distance(const float* x, const float* y, std::int64_t dim) {
    return nearest_center_tiles().squared_distance(x, y, dim);
}

void relax_nearest(Backend backend, MatrixView rows, MatrixView centers, std::span<float> nearest,
                   int num_threads) {
    relax(backend, RowSelection(rows), centers, nearest, num_threads);
}

void relax_nearest_of(Backend backend, MatrixView rows, std::span<const std::int64_t> picked,
                      MatrixView centers, std::span<float> nearest, int num_threads) {
    if (picked.empty()) return;
    relax(backend, RowSelection(rows, picked), centers, nearest, num_threads);
}

std::int64_t normalize_rows(float* data, std::int64_t rows, std::int64_t dim) {
    constexpr std::int64_t block = 1024;  // its squared norms stay in the first-level cache
    // x - 0 is x, so the squared norm is the squared distance to the origin, bit for bit.
    const std::vector<float> origin(static_cast<std::size_t>(dim), 0.0F);
    std::vector<float> squares(static_cast<std::size_t>(std::min(rows, block)));
    std::int64_t first_bad = -1;
    for (std::int64_t begin = 0; begin < rows; begin += block) {
        const std::int64_t count = std::min(block, rows - begin);
        float* const values = data + begin * dim;
        std::fill(squares.begin(), squares.end(), std::numeric_limits<float>::infinity());
        relax_nearest(Backend::cpu, {values, count, dim}, {origin.data(), 1, dim},
                      std::span(squares).first(static_cast<std::size_t>(count)), 1);
        for (std::int64_t i = 0; i < count; ++i) {
            const float norm = std::sqrt(squares[static_cast<std::size_t>(i)]);
            if (!(norm > 0.0F && std::isfinite(norm))) {
                if (first_bad < 0) first_bad = begin + i;
                continue;
            }
            for (std::int64_t k = 0; k < dim; ++k)
                values[i * dim + k] /= norm;
        }
    }
    return first_bad;
}

}  // namespace sluice::kernels
