#include "kernels/dense_tile.hpp"
#include "kernels/simd/portable.hpp"

namespace sluice::kernels {

namespace {

struct Shape {
    using Lanes = PortableLanes;
    static constexpr int panels = 1;
    static constexpr int rows = 2;
    static constexpr int rows_alone = 2;
    static constexpr int least_rows = 48;
};

}  // namespace

void multiply_baseline(const DenseProduct& product) {
    multiply_with<Shape>(product);
}

}  // namespace sluice::kernels
