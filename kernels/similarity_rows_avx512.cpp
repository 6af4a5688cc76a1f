#include "kernels/simd/avx512.hpp"
#include "kernels/similarity_rows_four.hpp"
#include "kernels/similarity_rows_tile.hpp"

namespace sluice::kernels {

const SimilarityInstructions similarity_avx512 = {
    &exponentials_of<Avx512Lanes>, &add_uncovered_of<FourOfAvx>, &add_uncovered_of_four<FourOfAvx>,
    &mark_uncovered_of<FourOfAvx>};

}  // namespace sluice::kernels
