#include "kernels/dense_tile.hpp"
#include "kernels/simd/avx2.hpp"

namespace sluice::kernels {

namespace {

struct Shape {
    using Lanes = Avx2Lanes;
    static constexpr int panels = 1;  // 6 x 2 sums, 2 columns and an element: 15 of 16 registers
    static constexpr int rows = 6;
    static constexpr int rows_alone = 6;
    static constexpr int least_rows = 48;
};

}  // namespace

void multiply_avx2(const DenseProduct& product) {
    multiply_with<Shape>(product);
}

}  // namespace sluice::kernels
