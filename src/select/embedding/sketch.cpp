#include "select/embedding/sketch.hpp"

#include "core/partition.hpp"
#include "core/philox.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

constexpr std::int64_t most_parts = 4;  // one for each word of a Philox block

std::int64_t num_parts(std::int64_t to) {
    return std::min(to, most_parts);
}

// The top 31 bits choose the place, the lowest one the sign.
std::uint32_t place_of(std::uint32_t word, RowRange part) {
    const auto size = static_cast<std::uint64_t>(part.size());
    const auto place = static_cast<std::uint64_t>(part.begin) + ((word >> 1) * size >> 31);
    return static_cast<std::uint32_t>(place << 1) | (word & 1U);
}

}  // namespace

Sketch::Sketch(std::int64_t from, std::int64_t to, std::uint64_t seed) : from_(from), to_(to) {
    if (to == from) return;
    parts_ = num_parts(to);
    scale_ = 1.0F / std::sqrt(static_cast<float>(parts_));
    places_.reserve(static_cast<std::size_t>(from * parts_));
    for (std::int64_t i = 0; i < from; ++i) {
        const Philox4 words = random_words(seed, RandomPurpose::embedding_sketch, 0,
                                           static_cast<std::uint64_t>(i), 0);
        for (std::int64_t part = 0; part < parts_; ++part) {
            places_.push_back(place_of(words.word[part], part_of_rows(to, static_cast<int>(part),
                                                                      static_cast<int>(parts_))));
        }
    }
}

std::int64_t Sketch::memory_bytes(std::int64_t from, std::int64_t to) {
    return to == from ? 0 : from * num_parts(to) * static_cast<std::int64_t>(sizeof(std::uint32_t));
}

}  // namespace sluice::select
