#pragma once

#include "select/input_box.hpp"

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace sluice::select {

/// One climb to points of higher score inside a box (climb.hpp says how): where it is and how far
/// its stencil reaches. Scores are finite or -infinity. The box must outlive it.
class Climber {
  public:
    /// Points of a ladder; their lengths are 1/2, 1/4, ... of the ranges.
    static constexpr std::int64_t num_rungs = 8;

    Climber(const InputBox& box, std::vector<float> start);

    const std::vector<float>& at() const { return at_; }
    float score() const { return score_; }
    std::int32_t steps() const { return steps_; }
    bool ended() const;

    /// Takes the score of the start.
    void begin(float score) { score_ = score; }

    /// Writes the stencil [2 D, D]: below and above along input 0, then 1, and so on.
    void write_stencil(std::span<float> points) const;

    /// Writes the ladder [num_rungs, D] along the gradient that these scores of the stencil show.
    void write_ladder(std::span<const float> stencil, std::span<const float> scores,
                      std::span<float> points) const;

    /// Goes to the best of `points` [any, D], ties to the first, or pulls the stencil in.
    void step(std::span<const float> points, std::span<const float> scores);

  private:
    float inside(std::size_t input, float value) const;
    std::vector<float> uphill(std::span<const float> stencil, std::span<const float> scores) const;

    const InputBox& box_;
    std::vector<float> at_;     // [D]
    std::vector<float> width_;  // [D] of the box
    float score_ = -std::numeric_limits<float>::infinity();
    float reach_;
    std::int32_t steps_ = 0;
};

}  // namespace sluice::select
