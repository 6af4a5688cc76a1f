#include "select/climb.hpp"

#include "select/apart.hpp"
#include "select/climber.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

namespace sluice::select {
namespace {

// A score that is a function of the features.
class Surface : public kernels::Scorer {
  public:
    explicit Surface(std::function<float(const float*)> height) : height_(std::move(height)) {}

    void score(const kernels::ScoreBlock& block, std::span<float> scores) const override {
        for (std::size_t i = 0; i < scores.size(); ++i)
            scores[i] = height_(block.values + static_cast<std::ptrdiff_t>(i) * block.classes);
    }

  private:
    std::function<float(const float*)> height_;
};

InputBox box_of(const std::vector<std::pair<double, double>>& bounds) {
    std::vector<InputRange> ranges;
    for (const auto& [low, high] : bounds)
        ranges.push_back({"x" + std::to_string(ranges.size()), "", low, high, InputScale::none});
    return InputBox(std::move(ranges), "test");
}

Climbs climb_of(const Surface& surface, const InputBox& box, std::int64_t starts, int threads = 1) {
    ClimbPlan plan;
    plan.scorer = &surface;
    plan.box = &box;
    plan.num_starts = starts;
    plan.seed = 5;
    plan.num_threads = threads;
    return climb(plan, test::world());
}

// Inside the box, and never below the start.
void check_ends(const Climbs& climbs, const InputBox& box, std::int64_t starts) {
    ASSERT_EQ(climbs.size(), starts);
    for (std::size_t start = 0; start < climbs.end_scores.size(); ++start) {
        EXPECT_GE(climbs.end_scores[start], climbs.start_scores[start]);
        for (std::size_t i = 0; i < box.low().size(); ++i) {
            const float at = climbs.ends[start * box.low().size() + i];
            EXPECT_GE(at, box.low()[i]);
            EXPECT_LE(at, box.high()[i]);
        }
    }
}

TEST(Climb, finds_a_known_maximum_in_one_input) {
    const Surface surface([](const float* x) { return 3.0F - (x[0] - 0.3F) * (x[0] - 0.3F); });
    const InputBox box = box_of({{-1.0, 2.0}});
    const Climbs climbs = climb_of(surface, box, 40);
    check_ends(climbs, box, 40);
    for (std::size_t i = 0; i < 40; ++i) {
        EXPECT_NEAR(climbs.ends[i], 0.3F, 2e-3F);
        EXPECT_NEAR(climbs.end_scores[i], 3.0F, 4e-6F);
    }
}

TEST(Climb, ends_on_the_face_that_a_maximum_outside_projects_to) {
    // Inputs of units 1e6 apart; the maximum is outside in the first alone.
    const Surface surface([](const float* x) {
        const float a = x[0] * 1e-3F - 5.0F;
        const float b = x[1] * 1e3F - 0.5F;
        return -(a * a) - b * b;
    });
    const InputBox box = box_of({{0.0, 4000.0}, {-0.001, 0.002}});
    const Climbs climbs = climb_of(surface, box, 64);
    check_ends(climbs, box, 64);
    for (std::size_t i = 0; i < 64; ++i) {
        EXPECT_EQ(climbs.ends[2 * i], 4000.0F);
        EXPECT_NEAR(climbs.ends[2 * i + 1], 0.0005F, 3e-6F);
        EXPECT_NEAR(climbs.end_scores[i], -1.0F, 1e-5F);
    }
}

// A quadratic surface with its axes turned: x^T A x, condition number 100.
TEST(Climb, climbs_a_narrow_ridge) {
    const Surface surface([](const float* x) {
        const float u = 0.8F * (x[0] - 0.2F) + 0.6F * (x[1] + 0.1F);
        const float v = -0.6F * (x[0] - 0.2F) + 0.8F * (x[1] + 0.1F);
        return 1.0F - u * u - 100.0F * v * v;
    });
    const InputBox box = box_of({{-1.0, 1.0}, {-1.0, 1.0}});
    const Climbs climbs = climb_of(surface, box, 50);
    check_ends(climbs, box, 50);
    for (std::size_t i = 0; i < 50; ++i)
        EXPECT_NEAR(climbs.end_scores[i], 1.0F, 2e-3F);
}

TEST(Climb, goes_straight_along_a_face_that_the_score_would_leave_by) {
    // All inputs but the first share one way up; without the projection they would be climbed one
    // after the other.
    const Surface surface([](const float* x) {
        float height = 1000.0F * x[0];
        for (int i = 1; i < 8; ++i)
            height -= (x[i] - 0.75F) * (x[i] - 0.75F);
        return height;
    });
    const InputBox box = box_of(std::vector<std::pair<double, double>>(8, {0.0, 1.0}));
    Climber climber(box, {1.0F, 0, 0, 0, 0, 0, 0, 0});
    std::vector<float> stencil(16 * 8);
    climber.write_stencil(stencil);
    std::vector<float> scores(16);
    surface.score({stencil.data(), {0, 16}, 1, 8, kernels::ScoreInput::features}, scores);
    std::vector<float> ladder(Climber::num_rungs * 8);
    climber.write_ladder(stencil, scores, ladder);
    for (std::size_t i = 1; i < 8; ++i)
        EXPECT_FLOAT_EQ(ladder[i], 0.5F);
    EXPECT_EQ(ladder[0], 1.0F);
}

TEST(Climb, climbs_kinks_and_finds_every_summit) {
    // Roofs over x = -2, 0 and 2, the last the highest.
    const Surface surface([](const float* x) {
        const float roof = 1.0F - std::fabs(x[0] - 2.0F * std::round(x[0] / 2.0F));
        return roof * (5.0F + x[0]) - std::fabs(x[1]);
    });
    const InputBox box = box_of({{-3.0, 3.0}, {-1.0, 1.0}});
    const Climbs climbs = climb_of(surface, box, 200);
    check_ends(climbs, box, 200);
    // A kink that runs across the inputs can hold a climb up, as it can any that only knows slopes;
    // few do not get to a summit.
    int at_summit[3] = {};
    for (std::size_t start = 0; start < 200; ++start) {
        const float summit = 2.0F * std::round(climbs.ends[2 * start] / 2.0F);
        const bool is_there = std::fabs(climbs.ends[2 * start] - summit) < 5e-3F &&
                              std::fabs(climbs.ends[2 * start + 1]) < 5e-3F;
        if (is_there) ++at_summit[static_cast<int>(summit / 2.0F) + 1];
    }
    for (const int count : at_summit)
        EXPECT_GE(count, 20);
    EXPECT_GE(at_summit[0] + at_summit[1] + at_summit[2], 190);
}

TEST(Climb, steps_and_holes_keep_no_climb_from_ending) {
    const float nothing = std::numeric_limits<float>::quiet_NaN();
    const Surface stairs([&](const float* x) {
        return x[0] > 0.5F && x[0] < 0.6F ? nothing : std::floor(4.0F * x[0]);
    });
    const InputBox box = box_of({{0.0, 1.0}});
    const Climbs climbs = climb_of(stairs, box, 30);
    check_ends(climbs, box, 30);
    for (const float score : climbs.end_scores)
        EXPECT_TRUE(std::isfinite(score));
    const Surface nowhere([&](const float*) { return nothing; });
    const Climbs none = climb_of(nowhere, box, 3);
    EXPECT_EQ(none.end_scores[0], -std::numeric_limits<float>::infinity());
    EXPECT_TRUE(ends_apart(none, box, 0.1F).empty());
}

TEST(Climb, does_not_depend_on_ranks_or_threads) {
    const Surface surface(
        [](const float* x) { return std::sin(3.0F * x[0]) * std::cos(2.0F * x[1]) + 0.1F * x[2]; });
    const InputBox box = box_of({{-2.0, 2.0}, {-1.0, 3.0}, {0.0, 1.0}});
    ClimbPlan plan;
    plan.scorer = &surface;
    plan.box = &box;
    plan.num_starts = 331;
    plan.seed = 5;
    comm::Communicator alone;
    const Climbs wanted = climb(plan, alone);
    for (const int threads : {1, 3}) {
        const Climbs climbs = climb_of(surface, box, 331, threads);
        EXPECT_EQ(climbs.ends, wanted.ends);
        EXPECT_EQ(climbs.start_scores, wanted.start_scores);
        EXPECT_EQ(climbs.end_scores, wanted.end_scores);
        EXPECT_EQ(climbs.steps, wanted.steps);
    }
}

TEST(Climb, starts_fill_the_box_and_depend_on_seed_and_round) {
    for (const std::int64_t dim : {2, 41}) {
        const InputBox box =
            box_of(std::vector<std::pair<double, double>>(static_cast<std::size_t>(dim), {3, 5}));
        ClimbPlan plan;
        plan.box = &box;
        int below = 0;
        for (std::int64_t start = 0; start < 256; ++start)
            below += climb_start(plan, start).back() < 4.0F ? 1 : 0;
        EXPECT_NEAR(below, 128, dim == 2 ? 0 : 40);  // Sobol's points halve evenly
        const std::vector<float> first = climb_start(plan, 7);
        plan.round = 2;
        EXPECT_NE(climb_start(plan, 7), first);
        plan.round = 1;
        plan.seed = 1;
        EXPECT_NE(climb_start(plan, 7), first);
        plan.seed = 0;
        EXPECT_EQ(climb_start(plan, 7), first);
    }
}

TEST(EndsApart, keep_the_best_of_those_near_each_other) {
    const InputBox box = box_of({{0.0, 1.0}, {0.0, 100.0}});
    Climbs climbs;
    climbs.ends = {0.50F, 50.0F, 0.505F, 50.5F, 0.50F, 52.0F, 0.9F, 1.0F, 0.9F, 1.0F};
    climbs.end_scores = {1.0F, 2.0F, 1.0F, 3.0F, 3.0F};
    EXPECT_EQ(ends_apart(climbs, box, 0.01F), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(ends_apart(climbs, box, 0.0F), (std::vector<std::int64_t>{0, 1, 2, 3}));
    EXPECT_EQ(ends_apart(climbs, box, 1.0F), (std::vector<std::int64_t>{3}));
}

}  // namespace
}  // namespace sluice::select
