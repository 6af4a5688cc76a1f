#include "kernels/dense_tile.hpp"
#include "kernels/network_rows.hpp"
#include "kernels/simd/portable.hpp"

namespace sluice::kernels {

namespace {

// Where the processor has no FMA, its correctly rounded stand-in in the C library takes all time.
struct Shape {
    using Lanes = PortableLanes;
    static constexpr int panels = 1;
    static constexpr int rows = 2;
};

}  // namespace

const DenseInstructions dense_baseline = {"baseline", multiply_in_tiles<Shape>,
                                          prepare_row<PortableLanes>, finish_row<PortableLanes>};

}  // namespace sluice::kernels
