#include "core/top_k.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t slack = 1024;
constexpr auto is_better = [](const Candidate& left, const Candidate& right) {
    return better(left, right);  // a function would not be inlined into sorts
};
constexpr Candidate worst{-std::numeric_limits<float>::infinity(),
                          std::numeric_limits<RowId>::max()};

// Compiled for several instruction sets and chosen at start-up; comparing gives the same in all.
[[gnu::target_clones("default", "avx2", "avx512f")]] unsigned count_not_below(const float* scores,
                                                                              std::size_t count,
                                                                              float threshold) {
    unsigned result = 0;
    for (std::size_t i = 0; i < count; ++i)
        result += static_cast<unsigned>(!(scores[i] < threshold));
    return result;
}

[[gnu::target_clones("default", "avx2", "avx512f")]] std::uint32_t bits_not_below(
    const float* scores, float threshold) {
    std::uint32_t bits = 0;
    for (unsigned i = 0; i < 32; ++i)
        bits |= static_cast<std::uint32_t>(!(scores[i] < threshold)) << i;
    return bits;
}

// Ascends as scores descend; -0 and +0 are one key.
std::uint32_t key_of(const Candidate& candidate) {
    const auto bits = std::bit_cast<std::uint32_t>(candidate.score + 0.0F);
    return (bits & 0x80000000U) != 0 ? bits : ~(bits | 0x80000000U);
}

struct KeyRange {
    std::uint32_t lowest = 0;
    std::uint32_t highest = 0;
};

KeyRange key_range(std::span<const Candidate> candidates) {
    KeyRange range{std::numeric_limits<std::uint32_t>::max(), 0};
    for (const Candidate& candidate : candidates) {
        range.lowest = std::min(range.lowest, key_of(candidate));
        range.highest = std::max(range.highest, key_of(candidate));
    }
    return range;
}

// Moves the candidates with keys up to `highest` to the front; their number.
std::size_t move_to_front(std::span<Candidate> candidates, std::uint32_t highest) {
    std::size_t front = 0;
    for (Candidate& candidate : candidates) {
        const bool belongs = key_of(candidate) <= highest;
        std::swap(candidates[front], candidate);
        front += static_cast<std::size_t>(belongs);
    }
    return front;
}

// As std::nth_element with `better`: the best `count` first, the last of them in its place. Counts
// keys in bins first, for comparing candidates one by one mispredicts every other time.
void move_best_to_front(std::span<Candidate> candidates, std::size_t count) {
    constexpr int bin_bits = 10;
    const KeyRange range = key_range(candidates);
    const int shift =
        std::max(0, static_cast<int>(std::bit_width(range.highest - range.lowest)) - bin_bits);
    std::array<std::uint32_t, std::size_t{1} << bin_bits> bins{};
    for (const Candidate& candidate : candidates)
        ++bins[(key_of(candidate) - range.lowest) >> shift];
    std::uint32_t bin = 0;
    std::size_t before = 0;
    while (before + bins[bin] < count)
        before += bins[bin++];
    const std::uint32_t first = range.lowest + (bin << shift);
    const std::size_t end = move_to_front(candidates, first + ((1U << shift) - 1));
    if (bin > 0) move_to_front(candidates.first(end), first - 1);
    const auto at = [&](std::size_t place) {
        return candidates.begin() + static_cast<std::ptrdiff_t>(place);
    };
    std::nth_element(at(before), at(count - 1), at(end), is_better);
}

}  // namespace

bool any_may_enter(std::span<const float> scores, float threshold) {
    return count_not_below(scores.data(), scores.size(), threshold) != 0;
}

std::uint32_t entrants(std::span<const float> scores, float threshold) {
    if (scores.size() == 32) return bits_not_below(scores.data(), threshold);
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < scores.size(); ++i)
        bits |= static_cast<std::uint32_t>(!(scores[i] < threshold)) << i;
    return bits;
}

TopK::TopK(std::size_t capacity)
    : capacity_(capacity), limit_(2 * capacity + slack), threshold_(worst) {}

void TopK::offer(std::span<const float> scores, RowId first_row) {
    if (capacity_ == 0) return;
    visit_entrants(
        scores, [this] { return threshold_.score; },
        [&](std::size_t place) {
            if (std::isnan(scores[place])) return;
            offer(Candidate{scores[place], first_row + static_cast<RowId>(place)});
        });
}

void TopK::offer(const Candidate& candidate) {
    if (capacity_ == 0 || !better(candidate, threshold_)) return;
    kept_.push_back(candidate);
    if (kept_.size() >= limit_) shrink();
}

void TopK::merge(const TopK& other) {
    for (const Candidate& candidate : other.kept_)
        offer(candidate);
}

std::vector<Candidate> TopK::take_sorted() {
    shrink();
    std::sort(kept_.begin(), kept_.end(), is_better);
    threshold_ = worst;
    return std::exchange(kept_, {});
}

void TopK::shrink() {
    if (kept_.size() <= capacity_) return;
    move_best_to_front(kept_, capacity_);
    kept_.resize(capacity_);
    threshold_ = kept_.back();
}

}  // namespace sluice
