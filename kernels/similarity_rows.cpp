#include "kernels/similarity_rows.hpp"

#include "core/error.hpp"
#include "kernels/instruction_set.hpp"
#include "kernels/similarity_rows_cpu.hpp"

#include <algorithm>
#include <vector>

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

double uncovered(float similar, float covered) {
    return std::max(0.0, static_cast<double>(similar) - static_cast<double>(covered));
}

constexpr std::size_t chains = 4;
struct Chains {
    double sums[chains] = {};
    double sum() const { return (sums[0] + sums[1]) + (sums[2] + sums[3]); }
};

constexpr const char* unfit = "uncovered_sum: similarities, covers and weights do not fit";

}  // namespace

void exponentials(std::span<float> values, float divisor) {
    chosen_instructions().exponentials(values.data(), std::ssize(values), divisor);
}

double uncovered_sum(std::span<const float> similar, std::span<const float> covered,
                     std::span<const double> weights) {
    double sum = 0.0;
    uncovered_sums(similar, covered, weights, {&sum, 1});
    return sum;
}

void uncovered_sums(std::span<const float> similar, std::span<const float> covered,
                    std::span<const double> weights, std::span<double> sums) {
    const std::size_t width = covered.size();
    const std::size_t whole = width / chains * chains;
    require(similar.size() == width * sums.size() && weights.size() == width, ExitCode::internal,
            unfit);
    const auto count = static_cast<std::int64_t>(whole);
    std::vector<Chains> of_rows(sums.size());
    std::size_t row = 0;
    for (; row + 4 <= sums.size(); row += 4) {
        chosen_instructions().add_uncovered_of_four(
            similar.data() + row * width, static_cast<std::int64_t>(width), covered.data(),
            weights.data(), count, of_rows[row].sums);
    }
    for (; row < sums.size(); ++row) {
        chosen_instructions().add_uncovered(similar.data() + row * width, covered.data(),
                                            weights.data(), count, of_rows[row].sums);
    }
    for (row = 0; row < sums.size(); ++row) {
        Chains& own = of_rows[row];
        for (std::size_t i = whole; i < width; ++i)
            own.sums[i % chains] += weights[i] * uncovered(similar[row * width + i], covered[i]);
        sums[row] = own.sum();
    }
}

Uncovered mark_uncovered(std::span<const float> similar, std::span<const float> covered,
                         std::span<const double> weights, std::span<std::uint64_t> above) {
    require(similar.size() == covered.size() && similar.size() == weights.size() &&
                above.size() == (similar.size() + 63) / 64,
            ExitCode::internal, unfit);
    Chains own;
    std::int64_t numbers[chains] = {};
    const std::size_t whole = similar.size() / 64 * 64;
    chosen_instructions().mark_uncovered({similar.data(), covered.data(), weights.data()},
                                         static_cast<std::int64_t>(whole), own.sums, above.data(),
                                         numbers);
    if (whole < similar.size()) above.back() = 0;
    for (std::size_t i = whole; i < similar.size(); ++i) {
        const double more = uncovered(similar[i], covered[i]);
        own.sums[i % chains] += weights[i] * more;
        above.back() |= std::uint64_t{more > 0.0} << (i % 64);
        numbers[i % chains] += more > 0.0 ? 1 : 0;
    }
    return {own.sum(), *std::max_element(numbers, numbers + chains)};
}

}  // namespace sluice::kernels
