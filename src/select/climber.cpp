#include "select/climber.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

constexpr float first_reach = 0x1p-4F;
constexpr float last_reach = 0x1p-12F;
constexpr float rounding = 0x1p-20F;  // of a score, relative: what a better one must exceed
constexpr float nothing = -std::numeric_limits<float>::infinity();

bool is_finite(float score) {
    return score > nothing;
}

}  // namespace

Climber::Climber(const InputBox& box, std::vector<float> start)
    : box_(box), at_(std::move(start)), reach_(first_reach) {
    for (std::size_t i = 0; i < at_.size(); ++i)
        width_.push_back(box.high()[i] - box.low()[i]);
}

bool Climber::ended() const {
    return reach_ < last_reach;
}

float Climber::inside(std::size_t input, float value) const {
    return std::clamp(value, box_.low()[input], box_.high()[input]);
}

void Climber::write_stencil(std::span<float> points) const {
    const std::size_t dim = at_.size();
    for (std::size_t point = 0; point < 2 * dim; ++point) {
        const std::size_t i = point / 2;
        const float step = (point % 2 == 0 ? -reach_ : reach_) * width_[i];
        std::copy(at_.begin(), at_.end(),
                  points.begin() + static_cast<std::ptrdiff_t>(point * dim));
        points[point * dim + i] = inside(i, at_[i] + step);
    }
}

void Climber::write_ladder(std::span<const float> stencil, std::span<const float> scores,
                           std::span<float> points) const {
    const std::vector<float> direction = uphill(stencil, scores);
    const std::size_t dim = at_.size();
    float length = 1.0F;
    for (std::size_t rung = 0; rung < num_rungs; ++rung) {
        length *= 0.5F;
        for (std::size_t i = 0; i < dim; ++i)
            points[rung * dim + i] = inside(i, at_[i] + length * direction[i] * width_[i]);
    }
}

void Climber::step(std::span<const float> points, std::span<const float> scores) {
    ++steps_;
    const auto best = std::max_element(scores.begin(), scores.end());
    const float wanted = is_finite(score_) ? score_ + rounding * std::fabs(score_) : nothing;
    if (!(*best > wanted)) {
        reach_ *= 0.5F;
        return;
    }
    score_ = *best;
    const auto dim = static_cast<std::ptrdiff_t>(at_.size());
    const auto from = points.begin() + (best - scores.begin()) * dim;
    std::copy(from, from + dim, at_.begin());
}

// The gradient in shares of the ranges, without what would leave the box, its largest component 1
// in size; zeros where it is flat.
std::vector<float> Climber::uphill(std::span<const float> stencil,
                                   std::span<const float> scores) const {
    const std::size_t dim = at_.size();
    std::vector<float> slopes(dim, 0.0F);
    float largest = 0.0F;
    for (std::size_t i = 0; i < dim; ++i) {
        const float below = scores[2 * i];
        const float above = scores[2 * i + 1];
        const float apart = stencil[(2 * i + 1) * dim + i] - stencil[2 * i * dim + i];
        if (!is_finite(below) || !is_finite(above) || !(apart > 0.0F)) continue;
        const float slope = (above - below) / (apart / width_[i]);
        const bool leaves = slope > 0.0F ? at_[i] >= box_.high()[i] : at_[i] <= box_.low()[i];
        if (leaves || !std::isfinite(slope)) continue;
        slopes[i] = slope;
        largest = std::max(largest, std::fabs(slope));
    }
    if (!(largest > 0.0F)) return slopes;
    for (float& slope : slopes)
        slope /= largest;
    return slopes;
}

}  // namespace sluice::select
