// The greedy of a panel as the device runs it, on the CPU block by block; and, where a device is
// there, on it.
#include "kernels/cuda/device.hpp"
#include "kernels/device_panel.hpp"
#include "kernels/panel_block.hpp"
#include "network_fixture.hpp"
#include "panel_twin.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace sluice::kernels {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

struct PanelCase {
    std::int64_t rows;
    std::int64_t dim;
    std::int64_t num_picks;
    Candidate outside;
    std::vector<float> x;
    std::vector<RowId> numbers;
    std::vector<float> nearest;

    MatrixView features() const { return {x.data(), rows, dim}; }
};

/// Every third row is a copy of the one before, every fifth has a centre already.
PanelCase make_panel(std::int64_t rows, std::int64_t dim, std::int64_t num_picks,
                     Candidate outside) {
    PanelCase made{rows, dim, num_picks, outside, {}, {}, {}};
    made.x = random_floats(static_cast<std::size_t>(rows * dim), 71);
    for (std::int64_t row = 2; row < rows; row += 3)
        std::copy_n(made.x.begin() + (row - 1) * dim, dim, made.x.begin() + row * dim);
    made.numbers.resize(static_cast<std::size_t>(rows));
    std::iota(made.numbers.begin(), made.numbers.end(), RowId{1} << 33);
    made.nearest.assign(static_cast<std::size_t>(rows), inf);
    for (std::size_t row = 4; row < made.nearest.size(); row += 5)
        made.nearest[row] = 0.25F * static_cast<float>(row % 4);
    return made;
}

struct Picked {
    std::vector<PanelPick> picks;
    std::vector<float> nearest;
    std::vector<std::int32_t> center;

    bool operator==(const Picked&) const = default;
};

/// One pick after the other, each of which relaxes all rows.
Picked plain_greedy(const PanelCase& made) {
    Picked result{{}, made.nearest, std::vector<std::int32_t>(made.nearest.size(), -1)};
    std::vector<bool> taken(made.nearest.size(), false);
    while (std::ssize(result.picks) < made.num_picks) {
        Candidate best{-1.0F, 0};
        std::size_t at = 0;
        for (std::size_t i = 0; i < taken.size(); ++i)
            if (!taken[i] && result.nearest[i] > best.score) {
                best = {result.nearest[i], made.numbers[i]};
                at = i;
            }
        if (best.score < 0.0F || !better(best, made.outside)) break;
        taken[at] = true;
        const auto number = static_cast<std::int32_t>(result.picks.size());
        result.picks.push_back({static_cast<std::int64_t>(at), best.score});
        for (std::size_t i = 0; i < taken.size(); ++i) {
            const float distance =
                squared_distance(made.features().row(static_cast<std::int64_t>(i)),
                                 made.features().row(static_cast<std::int64_t>(at)), made.dim);
            if (!(distance < result.nearest[i])) continue;
            result.nearest[i] = distance;
            result.center[i] = number;
        }
    }
    return result;
}

Picked on_the_twin(const PanelCase& made, const PanelShape& shape) {
    Picked result{{}, made.nearest, std::vector<std::int32_t>(made.nearest.size(), -1)};
    result.picks = pick_on_twin({made.features(), made.numbers, result.nearest, result.center},
                                shape, made.outside, made.num_picks);
    return result;
}

const std::vector<PanelCase>& panel_cases() {
    static const std::vector<PanelCase> cases = {
        make_panel(1, 1, 1, {-1.0F, INT64_MAX}),
        make_panel(5, 3, 5, {-1.0F, INT64_MAX}),  // all of them, copies at distance 0 too
        make_panel(200, 130, 40, {-1.0F, INT64_MAX}),
        make_panel(300, 64, 300, {90.0F, 0}),                   // ends where the rest is farther
        make_panel(130, 20, 130, {inf, (RowId{1} << 33) + 3}),  // of equals the lower rows alone
        make_panel(40, 7, 9, {inf, 0}),                         // none is better
    };
    return cases;
}

TEST(PanelTwin, picks_what_the_greedy_picks_one_at_a_time) {
    for (const PanelCase& made : panel_cases()) {
        SCOPED_TRACE(testing::Message() << made.rows << " x " << made.dim);
        const Picked expected = plain_greedy(made);
        for (const std::int64_t blocks : {1, 3, 100})
            for (const std::int64_t bytes : {3000, 20000, 200000}) {
                const PanelShape shape = panel_shape(made.rows, made.dim, {blocks, bytes});
                if (shape.num_blocks == 0) continue;
                SCOPED_TRACE(testing::Message() << shape.num_blocks << " blocks, " << bytes);
                const Picked got = on_the_twin(made, shape);
                EXPECT_TRUE(got.picks == expected.picks);
                EXPECT_TRUE(got == expected);
            }
    }
}

TEST(PanelTwin, cases_end_as_they_say) {
    EXPECT_EQ(plain_greedy(panel_cases()[1]).picks.size(), 5U);
    const std::size_t some = plain_greedy(panel_cases()[3]).picks.size();
    EXPECT_GT(some, 10U);
    EXPECT_LT(some, 290U);
    EXPECT_EQ(plain_greedy(panel_cases()[4]).picks.size(), 1U);
    EXPECT_TRUE(plain_greedy(panel_cases()[5]).picks.empty());
}

TEST(PanelTwin, keys_are_in_the_order_of_candidates) {
    const std::vector<Candidate> rows{{inf, 0},    {inf, 7},  {2.5F, 1},
                                      {1e-40F, 0}, {0.0F, 3}, {0.0F, 4}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::uint64_t key = panel_key(rows[i].score, rows[i].row);
        EXPECT_EQ(place_of_key(key), rows[i].row);
        EXPECT_EQ(distance_of_key(key), rows[i].score);
        EXPECT_NE(key, 0U);
        for (std::size_t j = 0; j < rows.size(); ++j)
            EXPECT_EQ(key > panel_key(rows[j].score, rows[j].row), better(rows[i], rows[j]));
    }
}

TEST(PanelTwin, is_spread_over_as_many_blocks_as_it_needs) {
    const PanelLimits h100{132, 227 << 10};
    EXPECT_EQ(panel_shape(2048, 512, h100), (PanelShape{64, 32, 512}));
    EXPECT_EQ(panel_shape(2048, 2048, h100), (PanelShape{128, 16, 2048}));
    EXPECT_EQ(panel_shape(33, 5, h100), (PanelShape{2, 32, 5}));
    EXPECT_EQ(panel_shape(8192, 64, h100), (PanelShape{131, 63, 64}));
    EXPECT_EQ(panel_shape(0, 64, h100).num_blocks, 0);
    EXPECT_EQ(panel_shape(100, 64, {}).num_blocks, 0);
    EXPECT_EQ(panel_shape(100, 100000, h100).num_blocks, 0);
    for (const std::int64_t dim : {1, 63, 700, 3000, 20000})
        for (const std::int64_t rows : {1, 128, 2048, 4096, 100000}) {
            const PanelShape shape = panel_shape(rows, dim, h100);
            if (shape.num_blocks == 0) continue;
            EXPECT_LE(shape.num_blocks, h100.most_blocks);
            EXPECT_LE(PanelShared::bytes(shape, dim), h100.shared_bytes);
            EXPECT_GE(shape.num_blocks * shape.rows_per_block, rows);
            EXPECT_LT((shape.num_blocks - 1) * shape.rows_per_block, rows);
            EXPECT_TRUE(shape.resident == dim || shape.resident % panel_chunk == 0);
        }
}

TEST(CudaPanel, picks_what_the_cpu_picks) {
    if (cuda::num_devices() == 0) GTEST_SKIP() << "no CUDA device";
    for (const PanelCase& made : panel_cases()) {
        SCOPED_TRACE(testing::Message() << made.rows << " x " << made.dim);
        Picked got{{}, made.nearest, std::vector<std::int32_t>(made.nearest.size(), -1)};
        const auto picks = pick_on_device({made.features(), made.numbers, got.nearest, got.center},
                                          made.outside, made.num_picks);
        ASSERT_TRUE(picks.has_value());
        got.picks = *picks;
        EXPECT_TRUE(got == plain_greedy(made));
    }
}

}  // namespace
}  // namespace sluice::kernels
