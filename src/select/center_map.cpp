#include "select/center_map.hpp"

#include "kernels/worker_pool.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sluice::select {

void CenterMap::extend(kernels::MatrixView centers, int num_threads) {
    const std::int64_t old_size = size_;
    if (centers.rows == old_size) return;
    size_ = centers.rows;
    dim_ = centers.dim;
    distances_.resize(static_cast<std::size_t>(size_ * capacity_));
    std::vector<std::int64_t> all(static_cast<std::size_t>(size_));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    const kernels::PackedRows packed(centers, all);
    kernels::parallel_for(num_threads, size_ - old_size, [&](std::int64_t task) {
        const std::int64_t center = old_size + task;
        const std::span<float> to_all(row(center), static_cast<std::size_t>(size_));
        std::fill(to_all.begin(), to_all.end(), std::numeric_limits<float>::infinity());
        packed.relax(centers.row(center), {to_all, {}, 0});
    });
    for (std::int64_t center = old_size; center < size_; ++center) {
        for (std::int64_t other = 0; other < old_size; ++other) {
            row(other)[center] = row(center)[other];
        }
        const std::int64_t parent =
            std::min_element(row(center), row(center) + center) - row(center);
        follower_.push_back(center == 0 ? -1 : follower_[static_cast<std::size_t>(parent)]);
        if (center != 0) {
            follower_[static_cast<std::size_t>(parent)] = static_cast<std::int32_t>(center);
        }
    }
}

// With f the canonical distance, D the true one and g the bound on their relative difference:
// f(a,c) >= 4 f(x,a) (1+g)/(1-g) gives sqrt(D(a,c)) >= 2 sqrt(f(x,a)/(1-g)), so that
// sqrt(D(x,c)) >= sqrt(D(a,c)) - sqrt(D(x,a)) >= sqrt(f(x,a)/(1-g)) and f(x,c) >= f(x,a).
void CenterMap::mark_near(std::int32_t owner, std::int64_t first, float nearest,
                          std::span<std::uint8_t> marks) const {
    // Below this the absolute error of denormal terms would count.
    constexpr float least_distance = 1e-30F;
    // A chain of D fused multiply-adds errs by (D + 2) 2^-24; four times that covers (1+g)/(1-g).
    const float margin = 1.0F + std::ldexp(static_cast<float>(4 * (dim_ + 8)), -24);
    const float far = 4.0F * margin * std::max(nearest, least_distance);
    if (!(far < std::numeric_limits<float>::infinity()) || margin > 1.5F) {
        std::fill(marks.begin() + first, marks.end(), std::uint8_t{1});
        return;
    }
    const float* const from_owner = row(owner);
    for (auto center = static_cast<std::size_t>(first); center < marks.size(); ++center) {
        marks[center] |= static_cast<std::uint8_t>(from_owner[center] < far);
    }
}

std::vector<std::int32_t> CenterMap::places() const {
    std::vector<std::int32_t> places(static_cast<std::size_t>(size_));
    std::int32_t place = 0;
    for (std::int32_t center = size_ == 0 ? -1 : 0; center >= 0;
         center = follower_[static_cast<std::size_t>(center)]) {
        places[static_cast<std::size_t>(center)] = place++;
    }
    return places;
}

}  // namespace sluice::select
