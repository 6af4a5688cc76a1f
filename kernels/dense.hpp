#pragma once

#include "kernels/activation.hpp"
#include "kernels/aligned_floats.hpp"

#include <cstdint>

namespace sluice::kernels {

/// The right-hand side of a matrix product, [depth, columns], laid out for multiply(): in panels of
/// `panel_width` columns, each [depth, panel_width], missing columns zero.
class DensePanels {
  public:
    static constexpr std::int64_t panel_width = 16;

    /// From a row-major matrix [depth, columns].
    void pack(const float* matrix, std::int64_t depth, std::int64_t columns);

    /// From the transpose, a row-major matrix [columns, depth], as weights [outputs, inputs] are.
    void pack_transposed(const float* matrix, std::int64_t columns, std::int64_t depth);

    std::int64_t depth() const { return depth_; }
    std::int64_t columns() const { return columns_; }
    std::int64_t num_panels() const { return (columns_ + panel_width - 1) / panel_width; }
    const float* panel(std::int64_t index) const {
        return values_.data() + index * depth_ * panel_width;
    }

  private:
    std::int64_t depth_ = 0;
    std::int64_t columns_ = 0;
    AlignedFloats values_;
};

/// Rows of floats in memory; row i begins at values + i * stride.
struct DenseRows {
    const float* values = nullptr;
    std::int64_t rows = 0;
    std::int64_t stride = 0;
};

/// out[i * out_stride + j] = activation(sum), sum = bias[j] (0 where `bias` is null), then
/// sum = fma(left[i][k], right[k][j], sum) for k = 0, 1, ... : one chain in one order, so the same
/// bits on every instruction set and device, whatever the number of rows. On the calling thread.
/// `left` has right.depth() floats in each row; right.columns() are written.
void multiply(const DenseRows& left, const DensePanels& right, const float* bias,
              Activation activation, float* out, std::int64_t out_stride);

}  // namespace sluice::kernels
