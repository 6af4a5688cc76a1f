#pragma once

#include "comm/communicator.hpp"
#include "kernels/score_rows.hpp"
#include "select/input_box.hpp"

#include <cstdint>
#include <vector>

namespace sluice::select {

/// What to climb, and how.
struct ClimbPlan {
    const kernels::Scorer* scorer = nullptr;  ///< reads features [D]; its scores are climbed
    const InputBox* box = nullptr;
    std::int64_t num_starts = 0;
    std::uint64_t seed = 0;
    std::uint32_t round = 1;
    std::int64_t most_steps = 200;  ///< of one climb
    int num_threads = 1;
};

/// Where climbs began and ended; [starts, D] and [starts]. A score of -infinity: the model says
/// nothing finite there.
struct Climbs {
    std::vector<float> ends;
    std::vector<float> start_scores;
    std::vector<float> end_scores;  ///< never below the start's
    std::vector<std::int32_t> steps;

    std::int64_t size() const { return static_cast<std::int64_t>(end_scores.size()); }
};

/// Start `start` of a plan, as features [D]: a point of Sobol's sequence with a shift that seed and
/// round decide or, beyond its 40 dimensions, of independent random numbers.
std::vector<float> climb_start(const ClimbPlan& plan, std::int64_t start);

/// Climbs from all starts to points of higher score inside the box. A step compares the score at x
/// with those at a stencil, x -+ reach along each input (cut at the box), and with those on a
/// ladder of lengths along the gradient that the stencil shows, steepest input first: projected on
/// the box, lengths in shares of the ranges, so that units do not count. The best of all is the
/// next x if it is better than rounding can feign; else the reach is halved, from 1/16 of the
/// ranges down to 1/4096, where the climb ends. It needs nothing but scores, so every score and
/// model will do, steps and kinks included, where the stencil alone still climbs.
/// The starts are dealt over the ranks; each climb depends on its start alone, in float32 of one
/// order: the same bits for any number of ranks and threads. 2 D + 8 scores a step. Throws
/// Error(try_again) on all ranks when stopped by a signal. \collective
/// \source implicit filtering: Gilmore and Kelley, "An implicit filtering algorithm for
///         optimization of functions with many local minima", SIAM J. Optim. 5 (1995), section 2;
///         that the stencil alone converges in a box: Lewis and Torczon, "Pattern search algorithms
///         for bound constrained minimization", SIAM J. Optim. 9 (1999)
Climbs climb(const ClimbPlan& plan, comm::Communicator& world);

}  // namespace sluice::select
