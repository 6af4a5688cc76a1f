#include "kernels/row_products.hpp"

#include "core/error.hpp"
#include "kernels/instruction_set.hpp"
#include "kernels/row_products_cpu.hpp"

#include <algorithm>

namespace sluice::kernels {
namespace {

const ProductInstructions& choose_instructions() {
#ifdef SLUICE_HAVE_X86
    switch (instruction_level()) {
        case InstructionLevel::avx512:
            return products_avx512;
        case InstructionLevel::avx2:
            return products_avx2;
        case InstructionLevel::baseline:
            break;
    }
#endif
    return products_baseline;
}

const ProductInstructions& chosen_instructions() {
    static const ProductInstructions& chosen = choose_instructions();
    return chosen;
}

}  // namespace

ProductsTile products_tile() {
    return {chosen_instructions().max_panels, chosen_instructions().max_vectors};
}

void pack_products(MatrixView rows, std::span<const std::int64_t> picked, float* panels) {
    const std::int64_t count = picked.empty() ? rows.rows : std::ssize(picked);
    for (std::int64_t begin = 0; begin < count; begin += products_panel) {
        const float* row[products_panel];
        for (std::int64_t j = 0; j < products_panel; ++j) {
            const std::int64_t i = std::min(begin + j, count - 1);
            row[j] = rows.row(picked.empty() ? i : picked[static_cast<std::size_t>(i)]);
        }
        chosen_instructions().pack(row, rows.dim, panels + begin * rows.dim);
    }
}

void row_products(const float* panels, int num_panels, std::int64_t dim,
                  std::span<const double* const> vectors, double* products) {
    const ProductInstructions& instructions = chosen_instructions();
    const auto num_vectors = static_cast<int>(vectors.size());
    if (num_panels == 0 || num_vectors == 0) return;
    require(num_panels <= instructions.max_panels && num_vectors <= instructions.max_vectors,
            ExitCode::internal, "row_products: more panels or vectors than a tile takes");
    instructions.products(panels, num_panels, dim, vectors.data(), num_vectors, products);
}

void take_off_squares(const double* products, double divisor, const double* seen, double number,
                      std::span<double> values) {
    require(std::ssize(values) % products_panel == 0, ExitCode::internal,
            "take_off_squares: whole panels are needed");
    chosen_instructions().take_off(products, divisor, seen, number, std::ssize(values),
                                   values.data());
}

}  // namespace sluice::kernels
