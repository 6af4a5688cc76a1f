// Typicality over a pool against its definition in float64 and against the rule it is from.
#include "pool_scores.hpp"
#include "select/k_means.hpp"

#include <algorithm>
#include <limits>

namespace sluice::select {
namespace {

using test::ScoredRows;
using test::Vector;

class Typicality : public test::PoolScores {
  protected:
    // A few picks from a shortlist of all rows.
    static PlanRequest request_of(const std::string& score, std::int64_t batch_size) {
        PlanRequest request = test::PoolScores::request_of(score);
        request.diversity = "typiclust";
        request.batch_size = batch_size;
        request.shortlist_size = ScoredRows::rows;
        request.seed = 11;
        return request;
    }

    Selection selection_of(const PlanRequest& request, const TakenRows& taken) {
        return select_two_stage(pool_, make_plan(pool_, request, taken, alone_), taken, alone_);
    }

    // The clusters of the pool's rows but `dropped`, -1.
    std::vector<std::int32_t> clusters_of(std::int64_t count, RowId dropped = -1) {
        std::vector<RowId> rows;
        std::vector<float> values;
        for (RowId row = 0; row < ScoredRows::rows; ++row) {
            if (row == dropped) continue;
            rows.push_back(row);
            const auto from = rows_.features.begin() + row * ScoredRows::dim;
            values.insert(values.end(), from, from + ScoredRows::dim);
        }
        KMeansOptions options;
        options.num_clusters = count;
        options.seed = 11;
        const Clusters clusters = k_means(
            {rows, {values.data(), std::ssize(rows), ScoredRows::dim}, {}, {}}, options, alone_);
        std::vector<std::int32_t> result(ScoredRows::rows, -1);
        for (std::size_t i = 0; i < rows.size(); ++i)
            result[static_cast<std::size_t>(rows[i])] = clusters.cluster[i];
        return result;
    }

    // By the formula; `labeled` are no neighbours.
    double by_hand(const std::vector<std::int32_t>& clusters, RowId row,
                   const std::vector<RowId>& labeled) {
        Vector distances;
        for (RowId other = 0; other < ScoredRows::rows; ++other) {
            const bool is_near = clusters[static_cast<std::size_t>(other)] ==
                                 clusters[static_cast<std::size_t>(row)];
            if (other == row || !is_near || std::count(labeled.begin(), labeled.end(), other) > 0)
                continue;
            double squares = 0.0;
            for (std::size_t k = 0; k < ScoredRows::dim; ++k)
                squares += std::pow(features(row)[k] - features(other)[k], 2);
            distances.push_back(std::sqrt(squares));
        }
        if (distances.empty()) return 0.0;
        std::sort(distances.begin(), distances.end());
        distances.resize(std::min<std::size_t>(20, distances.size()));
        const double sum = std::accumulate(distances.begin(), distances.end(), 0.0);
        return 1.0 / (sum / static_cast<double>(distances.size()) + 1e-5);
    }

    void expect_by_hand(std::int64_t batch_size, const TakenRows& taken) {
        const Selection selection = selection_of(request_of("typicality", batch_size), taken);
        const auto clusters = clusters_of(batch_size + std::ssize(taken.centers));
        EXPECT_EQ(std::ssize(selection.shortlist), ScoredRows::rows - std::ssize(taken.all()));
        for (const Candidate& one : selection.shortlist) {
            const double expected = by_hand(clusters, one.row, taken.centers);
            EXPECT_NEAR(one.score, expected, 2e-6 * expected) << one.row;
        }
    }
};

TEST_F(Typicality, is_one_over_the_mean_distance_to_the_nearest_of_the_cluster) {
    expect_by_hand(4, {});
    expect_by_hand(30, {});  // clusters of fewer than 20 rows, and copies
}

TEST_F(Typicality, labeled_rows_are_clustered_and_are_no_neighbours) {
    expect_by_hand(5, {{3, 7, 8, 100, 101, 150}, {50, 60}});
}

// The rule picks the most typical row of each cluster and says its mean distance.
TEST_F(Typicality, is_what_the_rule_of_that_paper_goes_by) {
    const Selection selection = selection_of(request_of("typicality", 4), {});
    const auto clusters = clusters_of(4);
    std::vector<double> best(4, 0.0);
    for (const Candidate& one : selection.shortlist) {
        double& own = best[static_cast<std::size_t>(clusters[static_cast<std::size_t>(one.row)])];
        own = std::max(own, static_cast<double>(one.score));
    }
    ASSERT_EQ(selection.rows.size(), 4U);
    for (const Selected& pick : selection.rows) {
        const double typical = 1.0 / (static_cast<double>(pick.distance) + 1e-5);
        EXPECT_NEAR(pick.score, typical, 1e-6 * typical);
        const auto cluster = clusters[static_cast<std::size_t>(pick.row)];
        EXPECT_EQ(pick.score, best[static_cast<std::size_t>(cluster)]);
    }
}

TEST_F(Typicality, a_row_alone_in_its_cluster_is_not_typical) {
    for (std::size_t k = 0; k < ScoredRows::dim; ++k)
        rows_.features[77 * ScoredRows::dim + k] = 1e4F;
    write();
    const Selection selection = selection_of(request_of("typicality", 3), {});
    for (const Candidate& one : selection.shortlist) {
        if (one.row == 77)
            EXPECT_EQ(one.score, 0.0F);
        else
            EXPECT_GT(one.score, 0.0F);
    }
}

TEST_F(Typicality, rows_that_are_all_copies_are_as_typical_as_can_be) {
    std::fill(rows_.features.begin(), rows_.features.end(), 2.0F);
    write();
    for (const auto& [row, score] : scores_of("typicality"))
        EXPECT_FLOAT_EQ(static_cast<float>(score), 1e5F) << row;
}

TEST_F(Typicality, is_a_factor_and_a_term_like_any_other) {
    const TakenRows taken = test::taken_rows();
    std::map<RowId, float> plain;
    for (const Candidate& one : selection_of(request_of("typicality", 4), taken).shortlist)
        plain[one.row] = one.score;
    const PlanRequest request = request_of("0.5*typicality*column:loss^2 + feature_norm", 4);
    for (const Candidate& one : selection_of(request, taken).shortlist) {
        const double loss = rows_.loss[static_cast<std::size_t>(one.row)];
        const Vector x = features(one.row);
        const double norm = std::sqrt(std::inner_product(x.begin(), x.end(), x.begin(), 0.0));
        const double expected = 0.5 * static_cast<double>(plain.at(one.row)) * loss * loss + norm;
        EXPECT_NEAR(one.score, expected, 1e-6 * expected);
    }
}

TEST_F(Typicality, a_row_without_a_place_is_refused_or_left_out) {
    rows_.features[70 * ScoredRows::dim + 2] = std::numeric_limits<float>::infinity();
    write();
    PlanRequest request = request_of("typicality", 4);
    request.diversity = "none";
    request.batch_size = 4;
    sluice::test::expect_error(ExitCode::bad_data, "features[70]: feature 2 is inf",
                               [&] { selection_of(request, {}); });
    request.bad_rows = BadRows::skip;
    const Selection selection = selection_of(request, {});
    EXPECT_EQ(selection.num_skipped, 1);
    const auto clusters = clusters_of(4, 70);
    for (const Selected& one : selection.rows) {
        const double expected = by_hand(clusters, one.row, {70});
        EXPECT_NEAR(one.score, expected, 2e-6 * expected);
    }
}

TEST_F(Typicality, the_plan_says_what_it_takes) {
    PlanRequest request = request_of("typicality", 4);
    const Plan plan = make_plan(pool_, request, {}, alone_);
    EXPECT_EQ(plan.prepare.num_passes, 1);
    EXPECT_GT(plan.prepare.memory_bytes, ScoredRows::rows * (ScoredRows::dim + 20) * 4);
    EXPECT_GE(plan.memory_scan, plan.prepare.memory_bytes);
    EXPECT_NE(plan_text(pool_, plan, 1).find("prepare    1 more pass(es) over the features"),
              std::string::npos);
    request.memory_gib = 1e-5;
    sluice::test::expect_error(ExitCode::usage, "for what scores prepare",
                               [&] { static_cast<void>(make_plan(pool_, request, {}, alone_)); });
}

}  // namespace
}  // namespace sluice::select
