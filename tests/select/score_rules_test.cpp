// Columns, costs, trust levels, noise and rows that have no score.
#include "pool_scores.hpp"

#include <algorithm>
#include <set>

namespace sluice::select {
namespace {

using test::ScoredRows;
using ScoreRules = test::PoolScores;

TEST_F(ScoreRules, columns_lengths_and_costs) {
    const auto at = [](const std::vector<float>& values, RowId row) {
        return static_cast<double>(values[static_cast<std::size_t>(row)]);
    };
    expect_scores(
        "column:loss", [&](RowId row) { return at(rows_.loss, row); }, 0.0);
    expect_scores("column:loss/column:length",
                  [&](RowId row) { return at(rows_.loss, row) / at(rows_.length, row); });
    expect_scores("0.25*cost + column:loss^2", [&](RowId row) {
        return 0.25 * at(rows_.cost, row) + std::pow(at(rows_.loss, row), 2);
    });
    PlanRequest request = request_of("column:loss");
    request.price = Price::divides_score;
    for (const auto& [row, score] : scores_of(request, test::taken_rows()))
        EXPECT_EQ(score, static_cast<double>(static_cast<float>(at(rows_.loss, row)) /
                                             static_cast<float>(at(rows_.cost, row))));
}

TEST_F(ScoreRules, trust_levels_are_of_scores_and_not_of_keys) {
    PlanRequest request = request_of("column:loss");
    request.trust = {1.0F, 3.0F};
    const TakenRows taken = test::taken_rows();
    const Plan plain = make_plan(pool_, request, taken, alone_);
    const Selection expected = select_two_stage(pool_, plain, taken, alone_);
    EXPECT_GT(expected.num_beyond_trust, 0);
    for (const auto& [noise, price] :
         {std::pair{"power:1", Price::ignored}, std::pair{"none", Price::divides_score},
          std::pair{"softmax:3", Price::divides_score}, std::pair{"softrank:1", Price::ignored}}) {
        request.randomize = noise;
        request.price = price;
        const Plan plan = make_plan(pool_, request, taken, alone_);
        const Selection selection = select_two_stage(pool_, plan, taken, alone_);
        EXPECT_EQ(selection.num_beyond_trust, expected.num_beyond_trust);
        std::vector<RowId> rows[2];
        for (const Selected& one : expected.rows)
            rows[0].push_back(one.row);
        for (const Selected& one : selection.rows)
            rows[1].push_back(one.row);
        for (auto& list : rows)
            std::sort(list.begin(), list.end());
        EXPECT_EQ(rows[0], rows[1]) << noise;
    }
}

TEST_F(ScoreRules, what_pool_and_labels_do_not_allow) {
    expect_refusal(request_of("column:none"), ExitCode::bad_data, "/columns/none: no such dataset");
    PlanRequest request = request_of("extrapolation_grade");
    sluice::test::expect_error(ExitCode::bad_data, "do not span the 5 features", [&] {
        TakenRows few;
        few.centers = {1, 2, 3};
        scores_of(request, few);
    });
    sluice::test::expect_error(ExitCode::bad_data, "do not span the 5 features", [&] {
        TakenRows same;
        same.centers = {0, 1, 2, 3, 100, 101, 102, 103};  // copies
        scores_of(request, same);
    });
    request = request_of("boundary");
    expect_refusal(request, ExitCode::bad_data, "reads logits");
}

TEST_F(ScoreRules, bad_rows_are_named_and_can_be_skipped) {
    rows_.length[70] = 0.0F;
    rows_.cost[71] = -1.0F;
    rows_.loss[72] = std::nanf("");
    rows_.features[73 * ScoredRows::dim + 2] = INFINITY;
    write();
    expect_refusal(request_of("column:loss/column:length"), ExitCode::bad_data,
                   "/columns/length[70]: column:length is 0, which cannot divide");
    expect_refusal(request_of("column:loss"), ExitCode::bad_data, "/columns/loss[72]: holds nan");
    expect_refusal(request_of("feature_norm + margin"), ExitCode::bad_data,
                   "/features[73]: feature 2 is inf");
    for (const char* score : {"information_density", "knn_density", "posterior_variance"})
        expect_refusal(request_of(score), ExitCode::bad_data, "/features[73]: feature 2 is inf");
    expect_refusal(request_of("cost^0.5"), ExitCode::bad_data,
                   "/cost[71]: cost is -1, which has no power of 0.5");
    PlanRequest request = request_of("entropy");
    request.price = Price::divides_score;
    expect_refusal(request, ExitCode::bad_data, "/cost[71]: a cost of -1 cannot divide a score");
    request.bad_rows = BadRows::skip;
    EXPECT_EQ(scores_of(request, test::taken_rows()).size(), 190U);
    request = request_of("information_density*entropy + column:loss/column:length");
    request.bad_rows = BadRows::skip;
    EXPECT_EQ(scores_of(request, test::taken_rows()).size(), 188U);
}

TEST_F(ScoreRules, negative_scores_are_not_divided_by_costs_and_have_no_power) {
    for (float& value : rows_.loss)
        value -= 2.0F;
    write();
    PlanRequest request = request_of("column:loss");
    request.price = Price::divides_score;
    expect_refusal(request, ExitCode::bad_data, "--per-cost cannot divide scores below 0");
    request.price = Price::ignored;
    request.randomize = "power:1";
    expect_refusal(request, ExitCode::bad_data, "--randomize power has no logarithm");
    request.randomize = "softmax:1";
    EXPECT_EQ(scores_of(request, test::taken_rows()).size(), 191U);
}

TEST_F(ScoreRules, softrank_draws_by_rank_from_the_best_rows_only) {
    PlanRequest request = request_of("column:loss");
    request.batch_size = 5;
    std::vector<double> losses;
    for (RowId row = 40; row < ScoredRows::rows; ++row)
        if (row != 50 && row != 60)
            losses.push_back(static_cast<double>(rows_.loss[static_cast<std::size_t>(row)]));
    std::sort(losses.begin(), losses.end(), std::greater<>());
    request.randomize = "softrank:1";
    std::set<RowId> seen;
    for (std::uint32_t round = 1; round <= 40; ++round) {
        request.round = round;
        const auto scores = scores_of(request, test::taken_rows());
        EXPECT_EQ(scores.size(), 5U);
        for (const auto& [row, key] : scores) {
            seen.insert(row);
            EXPECT_GE(static_cast<double>(rows_.loss[static_cast<std::size_t>(row)]), losses[49]);
        }
    }
    EXPECT_GT(seen.size(), 20U);
}

}  // namespace
}  // namespace sluice::select
