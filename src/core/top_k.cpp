#include "core/top_k.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice {
namespace {

constexpr std::size_t slack = 1024;
constexpr Candidate worst{-std::numeric_limits<float>::infinity(),
                          std::numeric_limits<RowId>::max()};

}  // namespace

TopK::TopK(std::size_t capacity)
    : capacity_(capacity), limit_(2 * capacity + slack), threshold_(worst) {}

void TopK::offer(std::span<const float> scores, RowId first_row) {
    if (capacity_ == 0) return;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (!(scores[i] >= threshold_.score)) continue;  // also passes over NaN
        offer(Candidate{scores[i], first_row + static_cast<RowId>(i)});
    }
}

void TopK::offer(const Candidate& candidate) {
    if (capacity_ == 0 || !better(candidate, threshold_)) return;
    kept_.push_back(candidate);
    if (kept_.size() >= limit_) shrink();
}

void TopK::merge(const TopK& other) {
    for (const Candidate& candidate : other.kept_) offer(candidate);
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
