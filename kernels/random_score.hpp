#pragma once

#include "core/philox.hpp"
#include "core/types.hpp"

#include <cstdint>

namespace sluice::kernels {

/// The score of `random`: uniform in (0, 1), a function of the seed, the round and the row alone.
struct RandomScore {
    std::uint64_t seed = 0;
    std::uint32_t round = 0;

    SLUICE_HD float operator()(RowId row) const {
        const Philox4 words = random_words(seed, RandomPurpose::random_score, round,
                                           static_cast<std::uint64_t>(row), 0);
        return unit_float(words.word[0]);
    }
};

}  // namespace sluice::kernels
