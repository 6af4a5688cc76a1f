#include "kernels/score_rows.hpp"

#include "core/error.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/instruction_set.hpp"
#include "kernels/random_score.hpp"
#include "kernels/row_view.hpp"
#include "kernels/score_rows_cpu.hpp"
#include "kernels/score_rows_cuda.hpp"

namespace sluice::kernels {

namespace {

class RandomScorer : public Scorer {
  public:
    explicit RandomScorer(RandomScore random) : random_(random) {}

    void score(const ScoreBlock& block, std::span<float> scores) const override {
        for (RowId row = block.rows.begin; row < block.rows.end; ++row)
            scores[static_cast<std::size_t>(row - block.rows.begin)] = random_(row);
    }

  private:
    RandomScore random_;
};

class CpuScorer : public Scorer {
  public:
    explicit CpuScorer(std::size_t index) : index_(index) {}

    void score(const ScoreBlock& block, std::span<float> scores) const override {
        const InstructionSet& instructions = chosen_instructions();
        const BlockFunction function = instructions.find(index_, block.input);
        require(function != nullptr, ExitCode::internal, "score of an input it cannot read");
        thread_local AlignedFloats tile;
        function(block, tile.reserve(tile_floats(instructions, block)), scores.data());
    }

  private:
    std::size_t index_;
};

}  // namespace

std::size_t list_index(const ScoreDefinition& definition) {
    const auto& definitions = score_definitions();
    for (std::size_t i = 1; i < definitions.size(); ++i)
        if (definitions[i].name == definition.name) return i - 1;
    throw Error(ExitCode::internal, "score " + definition.name + " is not in the list");
}

std::vector<const InstructionSet*> usable_instructions() {
    std::vector<const InstructionSet*> usable = {&baseline_instructions};
#ifdef SLUICE_HAVE_X86
    if (instruction_level() >= InstructionLevel::avx2) usable.push_back(&avx2_instructions);
    if (instruction_level() >= InstructionLevel::avx512) usable.push_back(&avx512_instructions);
#endif
    return usable;
}

const InstructionSet& chosen_instructions() {
    static const InstructionSet& chosen = *usable_instructions().back();
    return chosen;
}

std::int64_t tile_floats(const InstructionSet& instructions, const ScoreBlock& block) {
    return (block.row_elements() + scratch_elements(block.input, block.members, block.classes)) *
           instructions.width;
}

std::unique_ptr<Scorer> make_scorer(Backend backend, const ScoreDefinition& definition,
                                    std::uint64_t seed, std::uint32_t round) {
    if (definition.inputs.front() == ScoreInput::none)
        return std::make_unique<RandomScorer>(RandomScore{seed, round});
    const std::size_t index = list_index(definition);
    if (backend == Backend::cuda) return make_scorer_cuda(index);
    return std::make_unique<CpuScorer>(index);
}

}  // namespace sluice::kernels
