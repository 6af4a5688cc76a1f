#include "kernels/dense_tile.hpp"
#include "kernels/simd/avx512.hpp"

namespace sluice::kernels {

namespace {

struct Shape {
    using Lanes = Avx512Lanes;
    static constexpr int panels = 2;  // 12 x 2 sums, 2 columns and an element: 27 of 32 registers
    static constexpr int rows = 12;
    static constexpr int rows_alone = 12;
    static constexpr int least_rows = 48;
};

}  // namespace

void multiply_avx512(const DenseProduct& product) {
    multiply_with<Shape>(product);
}

}  // namespace sluice::kernels
