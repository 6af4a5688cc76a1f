#include "kernels/dense_tile.hpp"
#include "kernels/network_rows.hpp"
#include "kernels/simd/avx2.hpp"

namespace sluice::kernels {

namespace {

struct Shape {
    using Lanes = Avx2Lanes;
    static constexpr int panels = 1;  // 6 x 2 sums, 2 columns and an element: 15 of 16 registers
    static constexpr int rows = 6;
};

}  // namespace

const DenseInstructions dense_avx2 = {"avx2", multiply_in_tiles<Shape>, prepare_row<Avx2Lanes>,
                                      finish_row<Avx2Lanes>};

}  // namespace sluice::kernels
