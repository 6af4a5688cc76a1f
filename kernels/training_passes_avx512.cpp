#include "kernels/simd/avx512.hpp"
#include "kernels/training_lanes.hpp"
#include "kernels/training_sets.hpp"

namespace sluice::kernels {

const TrainingPasses& training_passes_avx512() {
    return TrainingLanes<Avx512Lanes>::passes;
}

}  // namespace sluice::kernels
