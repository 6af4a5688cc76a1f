#include "kernels/training_passes.hpp"

#include "kernels/instruction_set.hpp"
#include "kernels/training_sets.hpp"

namespace sluice::kernels {

const TrainingPasses& training_passes() {
#ifdef SLUICE_HAVE_X86
    switch (instruction_level()) {
        case InstructionLevel::avx512:
            return training_passes_avx512();
        case InstructionLevel::avx2:
            return training_passes_avx2();
        case InstructionLevel::baseline:
            break;
    }
#endif
    return training_passes_baseline();
}

}  // namespace sluice::kernels
