#pragma once

#include "kernels/score_rows.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sluice::kernels {

/// Scores a block with `tile` as working memory (see tile_floats).
using BlockFunction = void (*)(const ScoreBlock& block, float* tile, float* scores);

/// The scores compiled for one instruction set.
struct InstructionSet {
    const char* name;
    std::int64_t width;  ///< rows scored at a time
    /// The function for score `index` of kernels/scores/list.hpp; null if it cannot read `input`.
    BlockFunction (*find)(std::size_t index, ScoreInput input);
};

extern const InstructionSet baseline_instructions;
extern const InstructionSet avx2_instructions;    ///< in builds for x86-64 only
extern const InstructionSet avx512_instructions;  ///< likewise

/// Position of a score in kernels/scores/list.hpp; the definitions stand in its order, behind
/// `random`. Throws Error(internal) if it is not there.
std::size_t list_index(const ScoreDefinition& definition);

/// Those that this build has and this processor can run up to the level cpu_instruction_set()
/// names, which comes last.
std::vector<const InstructionSet*> usable_instructions();

/// The one that cpu_instruction_set() names.
const InstructionSet& chosen_instructions();

/// Working memory of a block function, for rows of this shape.
std::int64_t tile_floats(const InstructionSet& instructions, const ScoreBlock& block);

}  // namespace sluice::kernels
