#include "kernels/score_lanes.hpp"
#include "kernels/simd/avx512.hpp"

namespace sluice::kernels {

namespace {

BlockFunction find(std::size_t index, ScoreInput input) {
    return block_function<Avx512Lanes>(Scores(), index, input);
}

}  // namespace

const InstructionSet avx512_instructions = {"avx512", Avx512Lanes::width, find};

}  // namespace sluice::kernels
