#pragma once

#include "core/host_device.hpp"

#include <cstdint>

namespace sluice {

/// Four 32-bit words; a plain struct because std::array's members are host functions under nvcc.
struct Philox4 {
    std::uint32_t word[4];
};

/// Philox4x32-10: a counter-based generator, so the value of a row depends on the row alone and
/// never on the rank, thread or order in which it is asked for.
/// \source Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC11, section 3.3;
///         known-answer vectors from the Random123 distribution are in tests/core/philox_test.cpp.
SLUICE_HD constexpr Philox4 philox4x32(Philox4 counter, std::uint64_t key) {
    auto key0 = static_cast<std::uint32_t>(key);
    auto key1 = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t product0 = std::uint64_t{0xD2511F53U} * counter.word[0];
        const std::uint64_t product1 = std::uint64_t{0xCD9E8D57U} * counter.word[2];
        counter = {{static_cast<std::uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0,
                    static_cast<std::uint32_t>(product1),
                    static_cast<std::uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1,
                    static_cast<std::uint32_t>(product0)}};
        key0 += 0x9E3779B9U;
        key1 += 0xBB67AE85U;
    }
    return counter;
}

/// What a random stream is for: streams of different purposes never share a value.
enum class RandomPurpose : std::uint16_t {
    random_score = 1,
    pool_values = 2,
    pool_structure = 3,
    stop_set = 4,
    score_noise = 5,
    density_sample = 6,
    random_share = 7,
    diversity_race = 12,
    diversity_answer = 13,
    member_seed = 16,
    held_out_rows = 17,
    initial_weights = 18,
    bootstrap_rows = 19,
    training_order = 20,
    training_dropout = 21,
    dropout_masks = 22,
    study_split = 32,
    study_noise = 33,
    study_refusal = 34,
    stream_policy = 40,
    cluster_seeds = 48,
    label_draws = 49,
    embedding_sketch = 50,
    fisher_probes = 51,
    synthesis_starts = 64,
};

/// Four random words of (seed, purpose, round, row, index): row and index identify the value,
/// `round` is the selection round (0 where there is none). row < 2^48, index < 2^32.
SLUICE_HD constexpr Philox4 random_words(std::uint64_t seed, RandomPurpose purpose,
                                         std::uint32_t round, std::uint64_t row,
                                         std::uint32_t index) {
    const auto high =
        (static_cast<std::uint32_t>(purpose) << 16) | static_cast<std::uint32_t>(row >> 32);
    return philox4x32({{static_cast<std::uint32_t>(row), high, index, round}}, seed);
}

/// Maps 32 random bits to a float in (0, 1): the 23 top bits plus a half, exact.
SLUICE_HD constexpr float unit_float(std::uint32_t bits) {
    return (static_cast<float>(bits >> 9) + 0.5F) * 0x1p-23F;
}

}  // namespace sluice
