#include "select/panel_greedy.hpp"

#include "kernels/panel_twin.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace sluice::select {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

// Rows whose values are small integers, so that many distances are equal.
class Panel {
  public:
    Panel(std::int64_t size, std::int64_t dim, int num_values)
        : dim_(dim),
          rows_(static_cast<std::size_t>(size)),
          features_(static_cast<std::size_t>(size * dim)),
          nearest_(static_cast<std::size_t>(size), infinity),
          stale_({rows_, {features_.data(), size, dim}, nearest_}, size, 0) {
        std::mt19937 generator(81);
        for (float& value : features_)
            value = static_cast<float>(generator() % static_cast<unsigned>(num_values));
        std::iota(rows_.begin(), rows_.end(), RowId{100});
    }
    Panel(const Panel&) = delete;
    Panel& operator=(const Panel&) = delete;

    StaleRows& stale() { return stale_; }

    std::vector<PanelPick> pick_on_twin(const Candidate& outside, std::int64_t num_picks) {
        std::vector<std::int32_t> center(rows_.size(), -1);
        const kernels::MatrixView features = stale_.source().features;
        const kernels::PanelShape shape =
            kernels::panel_shape(features.rows, dim_, {3, std::int64_t{1} << 16});
        std::vector<PanelPick> picks =
            kernels::pick_on_twin({features, rows_, nearest_, center}, shape, outside, num_picks);
        adopt_picks(stale_, picks, center);
        return picks;
    }

  private:
    std::int64_t dim_;
    std::vector<RowId> rows_;
    std::vector<float> features_;
    std::vector<float> nearest_;
    StaleRows stale_;
};

std::vector<PanelPick> joined(std::vector<PanelPick> first, const std::vector<PanelPick>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

TEST(PanelGreedy, goes_on_where_the_device_has_left_off) {
    for (const int num_values : {2, 1000}) {
        const Candidate none = no_candidate;
        Panel whole(300, 10, num_values);
        const std::vector<PanelPick> expected =
            panel_greedy(whole.stale(), none, 120, kernels::Backend::cpu);
        ASSERT_EQ(expected.size(), 120U);

        Panel first(300, 10, num_values);
        const std::vector<PanelPick> begun = first.pick_on_twin(none, 50);
        EXPECT_EQ(first.stale().num_centers(), 50);
        EXPECT_EQ(joined(begun, panel_greedy(first.stale(), none, 70, kernels::Backend::cpu)),
                  expected);
        // All rows but those picked last are where they belong, whoever asks.
        for (std::int64_t local = 0; local < 300; ++local) {
            const StaleRows::State state = first.stale().state(local);
            EXPECT_EQ(state.distance == 0.0F || state.num_seen >= 50, true);
            if (state.center < 0) continue;
            EXPECT_LT(state.center, first.stale().num_centers());
        }
    }
}

TEST(PanelGreedy, ends_with_the_device_at_the_best_outside) {
    for (const float score : {2.0F, 4.0F, 5.0F}) {
        for (const RowId row : {RowId{0}, RowId{170}, RowId{1000}}) {
            Panel here(300, 10, 2);
            Panel there(300, 10, 2);
            const Candidate outside{score, row};
            const auto expected = panel_greedy(here.stale(), outside, 300, kernels::Backend::cpu);
            EXPECT_EQ(there.pick_on_twin(outside, 300), expected) << score << " " << row;
            EXPECT_LT(expected.size(), 300U);
            for (std::int64_t local = 0; local < 300; ++local)
                EXPECT_EQ(here.stale().is_out(local), there.stale().is_out(local));
        }
    }
}

}  // namespace
}  // namespace sluice::select
