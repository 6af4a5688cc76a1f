#pragma once

#include "core/types.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::select {

/// Gumbel noise on scores, so that a batch is drawn and not the same best rows' neighbourhood
/// taken: the batch of the highest keys is a sample without replacement, rows by weight. \source
/// Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron and Gal, "Stochastic Batch
///         Acquisition: A Simple Baseline for Deep Active Learning", TMLR 2023, table 1.
struct Randomization {
    enum class Kind {
        none,
        power,    ///< key = ln score + noise / coldness: by weight score^coldness
        softmax,  ///< key = score + noise / coldness: by weight e^(coldness score)
        softrank  ///< key = -ln rank + noise / coldness: by weight rank^-coldness
    };

    Kind kind = Kind::none;
    double coldness = 1.0;  ///< > 0; the larger, the less is left to chance

    /// As parse_randomization reads it.
    std::string text() const;
};

/// How many shortlists' best rows `softrank` draws one shortlist from, by their rank among them.
inline constexpr std::int64_t ranked_factor = 10;

/// Reads none, or power, softmax or softrank, with `:COLDNESS` or not. Throws Error(usage).
Randomization parse_randomization(std::string_view text);

/// Gumbel noise of location 0 and scale 1, a function of seed, round and row alone.
float gumbel_noise(std::uint64_t seed, std::uint32_t round, RowId row);

/// Replaces scores by keys, for `power` and `softmax`; row i is number first + i. A score below 0
/// has no `power` and gets NaN; 0 comes last of all.
void perturb_scores(const Randomization& randomization, std::uint64_t seed, std::uint32_t round,
                    RowId first, std::span<float> scores);

/// The key of a rank from 1 on, for `softrank`.
float rank_key(double coldness, std::int64_t rank, float noise);

}  // namespace sluice::select
