#include "kernels/simd/avx2.hpp"
#include "kernels/similarity_rows_four.hpp"
#include "kernels/similarity_rows_tile.hpp"

namespace sluice::kernels {

const SimilarityInstructions similarity_avx2 = {
    &exponentials_of<Avx2Lanes>, &add_uncovered_of<FourOfAvx>, &add_uncovered_of_four<FourOfAvx>,
    &mark_uncovered_of<FourOfAvx>};

}  // namespace sluice::kernels
