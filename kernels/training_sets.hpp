#pragma once

#include "kernels/training_passes.hpp"

namespace sluice::kernels {

const TrainingPasses& training_passes_baseline();
const TrainingPasses& training_passes_avx2();    ///< in builds for x86-64 only
const TrainingPasses& training_passes_avx512();  ///< likewise

}  // namespace sluice::kernels
