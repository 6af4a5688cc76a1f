#include "kernels/score_lanes.hpp"
#include "kernels/simd/avx2.hpp"

namespace sluice::kernels {

namespace {

BlockFunction find(std::size_t index, ScoreInput input) {
    return block_function<Avx2Lanes>(Scores(), index, input);
}

}  // namespace

const InstructionSet avx2_instructions = {"avx2", Avx2Lanes::width, find};

}  // namespace sluice::kernels
