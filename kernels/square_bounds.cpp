#include "kernels/square_bounds.hpp"

#include "core/error.hpp"
#include "kernels/instruction_set.hpp"
#include "kernels/square_bounds_cpu.hpp"

#include <algorithm>
#include <limits>

namespace sluice::kernels {
namespace {

const SquareInstructions& choose_instructions() {
#ifdef SLUICE_HAVE_X86
    switch (instruction_level()) {
        case InstructionLevel::avx512:
            return squares_avx512;
        case InstructionLevel::avx2:
            return squares_avx2;
        case InstructionLevel::baseline:
            break;
    }
#endif
    return squares_baseline;
}

const SquareInstructions& chosen_instructions() {
    static const SquareInstructions& chosen = choose_instructions();
    return chosen;
}

}  // namespace

SquaresTile squares_tile() {
    return {chosen_instructions().max_panels, chosen_instructions().max_vectors};
}

void pack_squares(MatrixView rows, std::span<const std::int64_t> picked, float* panels) {
    const std::int64_t count = std::ssize(picked);
    for (std::int64_t begin = 0; begin < count; begin += squares_panel) {
        const float* row[squares_panel];
        for (std::int64_t j = 0; j < squares_panel; ++j)
            row[j] = rows.row(picked[static_cast<std::size_t>(std::min(begin + j, count - 1))]);
        chosen_instructions().pack(row, rows.dim, panels + begin * rows.dim);
    }
}

void add_squares(const SquaresRows& rows, const SquaresVectors& vectors) {
    const SquareInstructions& instructions = chosen_instructions();
    if (rows.num_panels == 0 || vectors.count == 0) return;
    require(rows.num_panels <= instructions.max_panels && vectors.count <= instructions.max_vectors,
            ExitCode::internal, "add_squares: more panels or vectors than a tile takes");
    instructions.add(rows, vectors);
}

double product_error(std::int64_t dim, std::int64_t roundings) {
    constexpr double unit = 0.5 * std::numeric_limits<float>::epsilon();
    // A term goes through its product, the sums of its chain, and those of the chains.
    const std::int64_t of_chains = std::min(dim, squares_chain) + dim / squares_chain + 2;
    const double sum = static_cast<double>(of_chains + roundings) * unit;
    return sum < 0.5 ? sum / (1.0 - sum) : std::numeric_limits<double>::infinity();
}

}  // namespace sluice::kernels
