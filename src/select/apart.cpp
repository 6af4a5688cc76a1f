#include "select/apart.hpp"

#include "core/types.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

bool are_near(const float* left, const float* right, const std::vector<float>& reach) {
    for (std::size_t i = 0; i < reach.size(); ++i) {
        if (!(std::fabs(left[i] - right[i]) <= reach[i])) return false;
    }
    return true;
}

}  // namespace

std::vector<std::int64_t> ends_apart(const Climbs& climbs, const InputBox& box, float apart) {
    std::vector<Candidate> order;
    for (std::int64_t start = 0; start < climbs.size(); ++start) {
        const float score = climbs.end_scores[static_cast<std::size_t>(start)];
        if (std::isfinite(score)) order.push_back({score, start});
    }
    std::sort(order.begin(), order.end(), better);
    std::vector<float> reach;
    for (std::size_t i = 0; i < box.low().size(); ++i)
        reach.push_back(apart * (box.high()[i] - box.low()[i]));
    const auto end_of = [&](std::int64_t start) { return climbs.ends.data() + start * box.dim(); };
    std::vector<std::int64_t> stay;
    for (const Candidate& candidate : order) {
        const bool near = std::any_of(stay.begin(), stay.end(), [&](std::int64_t other) {
            return are_near(end_of(candidate.row), end_of(other), reach);
        });
        if (!near) stay.push_back(candidate.row);
    }
    std::sort(stay.begin(), stay.end());
    return stay;
}

}  // namespace sluice::select
