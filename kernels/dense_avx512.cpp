#include "kernels/dense_tile.hpp"
#include "kernels/network_rows.hpp"
#include "kernels/simd/avx512.hpp"

namespace sluice::kernels {

namespace {

struct Shape {
    using Lanes = Avx512Lanes;
    static constexpr int panels = 2;  // 12 x 2 sums, 2 columns and an element: 27 of 32 registers
    static constexpr int rows = 12;
};

}  // namespace

const DenseInstructions dense_avx512 = {"avx512", multiply_in_tiles<Shape>,
                                        prepare_row<Avx512Lanes>, finish_row<Avx512Lanes>};

}  // namespace sluice::kernels
