#pragma once

#include "select/diversity/nearest_state.hpp"

#include <span>
#include <utility>
#include <vector>

namespace sluice::select {

/// An objective for pick_by_rows: gain(local, distance) of a row's distance to its nearest centre
/// or pick. Without any of them the best-scored row comes first.
template <typename GainOf>
class ByDistance {
  public:
    using Value = float;

    ByDistance(const ShortlistShare& share, const DiversityOptions& options, GainOf gain)
        : state_(share, options), gain_(std::move(gain)) {}

    Gain best(std::int64_t) const {
        if (!state_.has_center()) return state_.best_scored();
        return best_free(state_.share().rows, state_.taken(), [&](std::size_t i) {
            return gain_(i, static_cast<double>(state_.distance(i)));
        });
    }
    std::vector<float> say(std::int64_t local) const {
        std::vector<float> said = state_.say(local);
        said.push_back(state_.distance(static_cast<std::size_t>(local)));
        return said;
    }
    void take(const Gain&, std::int64_t local, std::span<const float> said) {
        distance_ = said.back();
        state_.take(local, said.first(said.size() - 1));
    }
    float value(const Gain&) const { return distance_; }

  private:
    NearestState state_;
    GainOf gain_;
    float distance_ = 0.0F;
};

}  // namespace sluice::select
