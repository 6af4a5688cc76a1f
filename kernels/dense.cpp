#include "kernels/dense.hpp"

#include "kernels/activation_functions.hpp"

#include <algorithm>

namespace sluice::kernels {

namespace {

constexpr std::int64_t width = DensePanels::panel_width;

// The sums of one row and one panel.
void panel_sums(const float* row, const float* panel, std::int64_t depth, float* sums) {
    for (std::int64_t k = 0; k < depth; ++k)
        for (std::int64_t j = 0; j < width; ++j)
            sums[j] = multiply_add(row[k], panel[k * width + j], sums[j]);
}

}  // namespace

void DensePanels::pack(const float* matrix, std::int64_t depth, std::int64_t columns) {
    depth_ = depth;
    columns_ = columns;
    float* to = values_.reserve(num_panels() * depth * panel_width);
    for (std::int64_t first = 0; first < columns; first += panel_width)
        for (std::int64_t k = 0; k < depth; ++k)
            for (std::int64_t j = first; j < first + panel_width; ++j)
                *to++ = j < columns ? matrix[k * columns + j] : 0.0F;
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
    for (std::int64_t p = 0; p < right.num_panels(); ++p) {
        const std::int64_t first = p * width;
        const std::int64_t count = std::min(width, right.columns() - first);
        for (std::int64_t i = 0; i < left.rows; ++i) {
            float sums[width] = {};
            if (bias != nullptr) std::copy_n(bias + first, count, sums);
            panel_sums(left.values + i * left.stride, right.panel(p), right.depth(), sums);
            float* to = out + i * out_stride + first;
            with_activation(activation, [&](auto function) {
                for (std::int64_t j = 0; j < count; ++j)
                    to[j] = function.of(sums[j]);
            });
        }
    }
}

}  // namespace sluice::kernels
