#include "core/top_k.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t slack = 1024;
constexpr std::size_t run_length = 128;
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

}  // namespace

bool any_may_enter(std::span<const float> scores, float threshold) {
    return count_not_below(scores.data(), scores.size(), threshold) != 0;
}

TopK::TopK(std::size_t capacity)
    : capacity_(capacity), limit_(2 * capacity + slack), threshold_(worst) {}

void TopK::offer(std::span<const float> scores, RowId first_row) {
    if (capacity_ == 0) return;
    for (std::size_t begin = 0; begin < scores.size(); begin += run_length) {
        const auto run = scores.subspan(begin, std::min(run_length, scores.size() - begin));
        if (!any_may_enter(run, threshold_.score)) continue;
        for (std::size_t i = 0; i < run.size(); ++i) {
            if (!(run[i] >= threshold_.score)) continue;  // also passes over NaN
            offer(Candidate{run[i], first_row + static_cast<RowId>(begin + i)});
        }
    }
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
    std::sort(kept_.begin(), kept_.end(), better);
    threshold_ = worst;
    return std::exchange(kept_, {});
}

void TopK::shrink() {
    if (kept_.size() <= capacity_) return;
    const auto last = kept_.begin() + static_cast<std::ptrdiff_t>(capacity_) - 1;
    std::nth_element(kept_.begin(), last, kept_.end(), better);
    threshold_ = *last;
    kept_.resize(capacity_);
}

}  // namespace sluice
