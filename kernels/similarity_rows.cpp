#include "kernels/similarity_rows.hpp"

#include "core/error.hpp"
#include "kernels/instruction_set.hpp"
#include "kernels/similarity_rows_cpu.hpp"

#include <algorithm>

namespace sluice::kernels {
namespace {

const SimilarityInstructions& choose_instructions() {
#ifdef SLUICE_HAVE_X86
    switch (instruction_level()) {
        case InstructionLevel::avx512:
            return similarity_avx512;
        case InstructionLevel::avx2:
            return similarity_avx2;
        case InstructionLevel::baseline:
            break;
    }
#endif
    return similarity_baseline;
}

const SimilarityInstructions& chosen_instructions() {
    static const SimilarityInstructions& chosen = choose_instructions();
    return chosen;
}

}  // namespace

void exponentials(std::span<float> values, float divisor) {
    chosen_instructions().exponentials(values.data(), std::ssize(values), divisor);
}

double uncovered_sum(std::span<const float> similar, std::span<const float> covered,
                     std::span<const double> weights) {
    require(similar.size() == covered.size() && similar.size() == weights.size(),
            ExitCode::internal, "uncovered_sum: similarities, covers and weights do not fit");
    double sums[4] = {};
    const std::size_t whole = similar.size() / 4 * 4;
    chosen_instructions().add_uncovered(similar.data(), covered.data(), weights.data(),
                                        static_cast<std::int64_t>(whole), sums);
    for (std::size_t i = whole; i < similar.size(); ++i) {
        const double more = static_cast<double>(similar[i]) - static_cast<double>(covered[i]);
        sums[i % 4] += weights[i] * std::max(0.0, more);
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace sluice::kernels
