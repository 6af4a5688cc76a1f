#include "model/random_numbers.hpp"

#include "kernels/canonical_math.hpp"

#include <algorithm>
#include <cstddef>

namespace sluice::model {
namespace {

constexpr std::size_t words_of_a_draw = 4;

Philox4 draw(const RandomStream& stream, std::uint64_t counter) {
    return random_words(stream.seed, stream.purpose, 0, counter, stream.index);
}

// One normal number from the first pair of uniform ones that lies in the unit circle. Attempts
// take counters of their own, so that every value has all of them to itself.
float normal_number(const RandomStream& stream, std::uint64_t value) {
    constexpr std::uint64_t attempts = 64;  // all fail once in 2^142
    for (std::uint64_t attempt = 0; attempt < attempts; ++attempt) {
        const Philox4 words = draw(stream, value * attempts + attempt);
        for (const int first : {0, 2}) {
            const float x = 2.0F * unit_float(words.word[first]) - 1.0F;
            const float y = 2.0F * unit_float(words.word[first + 1]) - 1.0F;
            const float square = x * x + y * y;
            if (square >= 1.0F || square == 0.0F) continue;
            return x * kernels::square_root(-2.0F * kernels::canonical_log(square) / square);
        }
    }
    return 0.0F;
}

}  // namespace

std::uint64_t member_seed(std::uint64_t seed, std::uint32_t round, std::int64_t member) {
    const Philox4 words = random_words(seed, RandomPurpose::member_seed, round,
                                       static_cast<std::uint64_t>(member), 0);
    return (std::uint64_t{words.word[0]} << 32) | words.word[1];
}

void fill_uniform(const RandomStream& stream, float low, float high, std::span<float> values) {
    for (std::size_t i = 0; i < values.size(); i += words_of_a_draw) {
        const Philox4 words = draw(stream, i / words_of_a_draw);
        for (std::size_t k = 0; k < std::min(words_of_a_draw, values.size() - i); ++k)
            values[i + k] = low + (high - low) * unit_float(words.word[k]);
    }
}

void fill_normal(const RandomStream& stream, std::span<float> values) {
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = normal_number(stream, i);
}

void draw_dropout(const RandomStream& stream, float rate, std::span<float> values) {
    const float factor = 1.0F / (1.0F - rate);
    for (std::size_t i = 0; i < values.size(); i += words_of_a_draw) {
        const Philox4 words = draw(stream, i / words_of_a_draw);
        for (std::size_t k = 0; k < std::min(words_of_a_draw, values.size() - i); ++k)
            values[i + k] = unit_float(words.word[k]) >= rate ? factor : 0.0F;
    }
}

}  // namespace sluice::model
