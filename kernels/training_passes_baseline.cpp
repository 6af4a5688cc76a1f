#include "kernels/simd/portable.hpp"
#include "kernels/training_lanes.hpp"
#include "kernels/training_sets.hpp"

namespace sluice::kernels {

const TrainingPasses& training_passes_baseline() {
    return TrainingLanes<PortableLanes>::passes;
}

}  // namespace sluice::kernels
