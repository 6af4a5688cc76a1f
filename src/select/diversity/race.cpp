#include "select/diversity/race.hpp"

#include "core/philox.hpp"
#include "select/precise_log.hpp"

namespace sluice::select {

Gain Race::winner(std::span<const RowId> rows, std::span<const std::uint8_t> taken,
                  std::span<const double> weights) const {
    Gain best;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (taken[i] != 0) continue;
        const Philox4 words =
            random_words(seed, RandomPurpose::diversity_race, round,
                         static_cast<std::uint64_t>(rows[i]), static_cast<std::uint32_t>(pick));
        const std::uint64_t bits = (std::uint64_t{words.word[1]} << 32) | words.word[0];
        const double rest = (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;  // 1 - u
        // -ln(1 - rest) is rest or more, but for rounding: most rows need no logarithm.
        const double bound = weights[i] / rest * (1.0 + 1e-14);
        if (best.row >= 0 && weights[i] > 0.0 && bound < best.gain) continue;
        const double time = minus_log_of_rest(rest);
        const Gain one{weights[i] > 0.0 ? weights[i] / time : -time, rows[i]};
        if (beats(one, best)) best = one;
    }
    return best;
}

}  // namespace sluice::select
