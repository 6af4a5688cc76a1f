#include "kernels/nearest_center.hpp"

#include "core/error.hpp"
#include "kernels/instruction_set.hpp"
#include "kernels/nearest_center_cpu.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::kernels {
namespace {

// With fewer centres the CPU is done with a row before it has been sent to a GPU; rows that stay
// there are a matter of ResidentRows.
constexpr std::int64_t worth_sending = 32;

const NearestCenterTiles& choose_tiles() {
#ifdef SLUICE_HAVE_X86
    switch (instruction_level()) {
        case InstructionLevel::avx512:
            return nearest_center_tiles_avx512();
        case InstructionLevel::avx2:
            return nearest_center_tiles_avx2();
        case InstructionLevel::baseline:
            break;
    }
#endif
    return nearest_center_tiles_baseline();
}

void check(MatrixView rows, MatrixView centers, const NearestCenters& nearest) {
    require(rows.dim == centers.dim && rows.dim > 0, ExitCode::internal,
            "relax_nearest: rows and centres differ in their number of features, or have none");
    require(static_cast<std::int64_t>(nearest.distance.size()) == rows.rows &&
                (nearest.center.empty() || nearest.center.size() == nearest.distance.size()),
            ExitCode::internal, "relax_nearest: one nearest centre a row is needed");
}

void relax(Backend backend, const RowSelection& selection, MatrixView centers,
           const NearestCenters& nearest, int num_threads) {
    if (selection.count == 0 || centers.rows == 0) return;
    check(selection.all, centers, nearest);
    if (backend == Backend::cuda && centers.rows >= worth_sending) {
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
    relax(backend, RowSelection(rows), centers, {nearest, {}, 0}, num_threads);
}

void relax_nearest_of(Backend backend, MatrixView rows, std::span<const std::int64_t> picked,
                      MatrixView centers, std::span<float> nearest, int num_threads) {
    relax_nearest_of(backend, rows, picked, centers, NearestCenters{nearest, {}, 0}, num_threads);
}

void relax_nearest_of(Backend backend, MatrixView rows, std::span<const std::int64_t> picked,
                      MatrixView centers, const NearestCenters& nearest, int num_threads) {
    if (picked.empty()) return;
    relax(backend, RowSelection(rows, picked), centers, nearest, num_threads);
}

int rows_at_a_time() {
    return nearest_center_tiles().lanes;
}

void relax_nearest_by(MatrixView rows, std::span<const std::int64_t> picked, MatrixView centers,
                      std::span<const std::int32_t> chosen, const NearestCenters& nearest) {
    if (picked.empty() || chosen.empty()) return;
    check(rows, centers, nearest);
    relax_packed_rows(RowSelection(rows, picked), {0, static_cast<RowId>(picked.size())},
                      CenterSelection(centers, chosen), nearest);
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
