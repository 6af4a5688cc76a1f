#pragma once

namespace sluice::kernels {

/// The instruction sets that CPU kernels are compiled for, each containing the ones before it.
enum class InstructionLevel { baseline, avx2, avx512 };

/// The best level this processor has, or the lesser one that SLUICE_ISA asks for. Decided once.
/// Throws Error(usage) if SLUICE_ISA is no level's name.
InstructionLevel instruction_level();

/// "baseline", "avx2" or "avx512".
const char* instruction_level_name(InstructionLevel level);

}  // namespace sluice::kernels
