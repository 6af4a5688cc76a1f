#include "kernels/dense.hpp"

#include "kernels/dense_cpu.hpp"
#include "kernels/instruction_set.hpp"

#include <algorithm>

namespace sluice::kernels {

void DensePanels::pack(const float* matrix, std::int64_t depth, std::int64_t columns) {
    depth_ = depth;
    columns_ = columns;
    float* to = values_.reserve(num_panels() * depth * panel_width);
    for (std::int64_t first = 0; first < columns; first += panel_width) {
        const std::int64_t count = std::min(panel_width, columns - first);
        for (std::int64_t k = 0; k < depth; ++k, to += panel_width) {
            const float* from = matrix + k * columns + first;
            if (count == panel_width) {  // a copy of known size is a few instructions
                std::copy_n(from, panel_width, to);
            } else {
                std::fill(std::copy_n(from, count, to), to + panel_width, 0.0F);
            }
        }
    }
}

void DensePanels::pack_transposed(const float* matrix, std::int64_t columns, std::int64_t depth) {
    depth_ = depth;
    columns_ = columns;
    float* to = values_.reserve(num_panels() * depth * panel_width);
    for (std::int64_t first = 0; first < columns; first += panel_width)
        for (std::int64_t k = 0; k < depth; ++k)
            for (std::int64_t j = first; j < first + panel_width; ++j)
                *to++ = j < columns ? matrix[j * depth + k] : 0.0F;
}

void multiply(const DenseRows& left, const DensePanels& right, const float* bias,
              Activation activation, float* out, std::int64_t out_stride) {
    chosen_dense_instructions().multiply({left.values, left.rows, left.stride, right.panel(0),
                                          right.depth(), right.columns(), bias, activation, out,
                                          out_stride});
}

std::vector<const DenseInstructions*> usable_dense_instructions() {
    std::vector<const DenseInstructions*> usable = {&dense_baseline};
#ifdef SLUICE_HAVE_X86
    if (instruction_level() >= InstructionLevel::avx2) usable.push_back(&dense_avx2);
    if (instruction_level() >= InstructionLevel::avx512) usable.push_back(&dense_avx512);
#endif
    return usable;
}

const DenseInstructions& chosen_dense_instructions() {
    static const DenseInstructions& chosen = *usable_dense_instructions().back();
    return chosen;
}

}  // namespace sluice::kernels
