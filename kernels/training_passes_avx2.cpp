#include "kernels/simd/avx2.hpp"
#include "kernels/training_lanes.hpp"
#include "kernels/training_sets.hpp"

namespace sluice::kernels {

const TrainingPasses& training_passes_avx2() {
    return TrainingLanes<Avx2Lanes>::passes;
}

}  // namespace sluice::kernels
