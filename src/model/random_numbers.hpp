#pragma once

#include "core/philox.hpp"

#include <cstdint>
#include <span>

namespace sluice::model {

/// The seed of everything that is drawn for one member in one round.
std::uint64_t member_seed(std::uint64_t seed, std::uint32_t round, std::int64_t member);

/// Where numbers of one purpose come from: value i is a function of the stream and i alone.
struct RandomStream {
    std::uint64_t seed = 0;
    RandomPurpose purpose = RandomPurpose::initial_weights;
    std::uint32_t index = 0;  ///< as in random_words: a layer, an epoch, a step
};

/// Values in (low, high), uniformly distributed.
void fill_uniform(const RandomStream& stream, float low, float high, std::span<float> values);

/// Values of mean 0 and variance 1, normally distributed, in canonical arithmetic.
/// \source Marsaglia and Bray, SIAM Review 6 (1964): the polar method, which needs no sine.
void fill_normal(const RandomStream& stream, std::span<float> values);

/// 0 with probability `rate`, else 1 / (1 - rate): what dropout multiplies with.
void draw_dropout(const RandomStream& stream, float rate, std::span<float> values);

}  // namespace sluice::model
