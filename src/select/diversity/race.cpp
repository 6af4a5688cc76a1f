#include "select/diversity/race.hpp"

#include "kernels/canonical_math.hpp"
#include "select/precise_log.hpp"

#include <cmath>
#include <limits>

namespace sluice::select {

RandomPurpose Race::purpose(Clock clock) {
    return clock == Clock::picks ? RandomPurpose::diversity_race : RandomPurpose::cluster_seeds;
}

// -ln(1 - rest) is not below rest, but for rounding, and rest not below word / 2^32.
std::uint32_t Race::last_word(double weight, double bar) {
    const double limit = std::ceil(weight / bar * (1.0 + 1e-5) * 0x1p32);
    return limit < 0x1p32 ? static_cast<std::uint32_t>(limit)
                          : std::numeric_limits<std::uint32_t>::max();
}

double Race::rest(RowId row) const {
    const Philox4 words = random_words(seed, purpose(clock), round, static_cast<std::uint64_t>(row),
                                       static_cast<std::uint32_t>(pick));
    if (clock == Clock::cluster_seeds)
        return (words.word[0] + (words.word[1] + 0.5) * 0x1p-32) * 0x1p-32;
    const std::uint64_t bits = (std::uint64_t{words.word[1]} << 32) | words.word[0];
    return (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
}

Gain Race::gain_of_rest(RowId row, double rest, double weight) const {
    const double time =
        clock == Clock::cluster_seeds
            ? double{kernels::canonical_log1p(static_cast<float>(rest / (1.0 - rest)))}
            : minus_log_of_rest(rest);
    return {weight > 0.0 ? weight / time : -time, row};
}

Gain Race::gain(RowId row, double weight) const {
    return gain_of_rest(row, rest(row), weight);
}

Gain Race::winner(std::span<const RowId> rows, std::span<const std::uint8_t> taken,
                  std::span<const double> weights) const {
    Gain best;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (taken[i] != 0) continue;
        const double of_row = rest(rows[i]);
        // -ln(1 - rest) is rest or more, but for rounding: most rows need no logarithm.
        const double bound = weights[i] / of_row * (1.0 + 1e-5);
        if (best.row >= 0 && weights[i] > 0.0 && bound < best.gain) continue;
        const Gain one = gain_of_rest(rows[i], of_row, weights[i]);
        if (beats(one, best)) best = one;
    }
    return best;
}

}  // namespace sluice::select
