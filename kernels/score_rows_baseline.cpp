#include "kernels/score_lanes.hpp"
#include "kernels/simd/portable.hpp"

namespace sluice::kernels {

namespace {

BlockFunction find(std::size_t index, ScoreInput input) {
    return block_function<PortableLanes>(Scores(), index, input);
}

}  // namespace

const InstructionSet baseline_instructions = {"baseline", PortableLanes::width, find};

}  // namespace sluice::kernels
