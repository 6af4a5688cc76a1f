// Scores of features, per cost and with strengths, of a whole pool against the definitions in
// float64; and what pools and labels do not allow.
#include "scored_pool.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace sluice::select {
namespace {

using Vector = std::vector<double>;
using test::ScoredRows;

double dot(const Vector& a, const Vector& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double distance(const Vector& a, const Vector& b) {
    double squares = 0.0;
    for (std::size_t k = 0; k < a.size(); ++k)
        squares += (a[k] - b[k]) * (a[k] - b[k]);
    return std::sqrt(squares);
}

// Solves matrix x = right by elimination with pivoting.
Vector solved(std::vector<Vector> matrix, Vector right) {
    const std::size_t size = right.size();
    for (std::size_t j = 0; j < size; ++j) {
        std::size_t pivot = j;
        for (std::size_t i = j; i < size; ++i)
            if (std::abs(matrix[i][j]) > std::abs(matrix[pivot][j])) pivot = i;
        std::swap(matrix[j], matrix[pivot]);
        std::swap(right[j], right[pivot]);
        for (std::size_t i = j + 1; i < size; ++i) {
            const double factor = matrix[i][j] / matrix[j][j];
            for (std::size_t k = j; k < size; ++k)
                matrix[i][k] -= factor * matrix[j][k];
            right[i] -= factor * right[j];
        }
    }
    for (std::size_t j = size; j-- > 0;) {
        for (std::size_t k = j + 1; k < size; ++k)
            right[j] -= matrix[j][k] * right[k];
        right[j] /= matrix[j][j];
    }
    return right;
}

class FeatureScores : public testing::Test {
  protected:
    FeatureScores() { write(); }

    void write() {
        const std::string path = directory_.path() + "/" + std::to_string(++num_files_) + ".h5";
        test::write_scored_pool(path, rows_, test::Kind::probability);
        pool_ = pool::open_pool({{path}}, alone_);
    }

    static PlanRequest request_of(const std::string& score) {
        PlanRequest request;
        request.score = score;
        request.diversity = "none";
        request.batch_size = ScoredRows::rows;
        request.device = kernels::DeviceChoice::cpu;
        request.num_threads = 2;
        return request;
    }

    std::map<RowId, double> scores_of(const PlanRequest& request, const TakenRows& taken) {
        const Plan plan = make_plan(pool_, request, taken, alone_);
        std::map<RowId, double> scores;
        for (const Selected& one : select_two_stage(pool_, plan, taken, alone_).rows)
            scores[one.row] = static_cast<double>(one.score);
        return scores;
    }
    std::map<RowId, double> scores_of(const std::string& score) {
        return scores_of(request_of(score), test::taken_rows());
    }

    Vector features(RowId row) const { return part(rows_.features, row, ScoredRows::dim); }
    static Vector part(const std::vector<float>& values, RowId row, std::int64_t width) {
        const auto begin = values.begin() + row * width;
        return {begin, begin + width};
    }

    void expect_scores(const std::string& score, const std::function<double(RowId)>& expected,
                       double relative = 1e-6, double absolute = 0.0) {
        SCOPED_TRACE(score);
        const auto scores = scores_of(score);
        EXPECT_EQ(scores.size(), static_cast<std::size_t>(ScoredRows::rows) - 42);
        for (const auto& [row, got] : scores) {
            const double wanted = expected(row);
            EXPECT_NEAR(got, wanted, relative * std::abs(wanted) + absolute) << "row " << row;
        }
    }

    void expect_refusal(const PlanRequest& request, ExitCode code, const std::string& part) {
        SCOPED_TRACE(request.score);
        sluice::test::expect_error(code, part, [&] { scores_of(request, test::taken_rows()); });
    }

    sluice::test::TemporaryDirectory directory_;
    comm::Communicator alone_;
    ScoredRows rows_ = test::make_scored_rows();
    pool::Pool pool_;
    int num_files_ = 0;
};

TEST_F(FeatureScores, feature_norm) {
    expect_scores("feature_norm",
                  [&](RowId row) { return std::sqrt(dot(features(row), features(row))); });
}

TEST_F(FeatureScores, information_density_is_the_mean_cosine) {
    expect_scores(
        "information_density",
        [&](RowId row) {
            const Vector x = features(row);
            double sum = 0.0;
            for (RowId other = 0; other < ScoredRows::rows; ++other) {
                const Vector y = features(other);
                sum += dot(x, y) / std::sqrt(dot(x, x) * dot(y, y));
            }
            return sum / static_cast<double>(ScoredRows::rows);
        },
        1e-6, 1e-8);
}

TEST_F(FeatureScores, knn_density_and_sparsity_of_a_small_pool_are_exact) {
    const auto mean_distance = [&](RowId row) {
        Vector distances;
        for (RowId other = 0; other < ScoredRows::rows; ++other)
            if (other != row) distances.push_back(distance(features(row), features(other)));
        std::sort(distances.begin(), distances.end());
        return std::accumulate(distances.begin(), distances.begin() + 20, 0.0) / 20;
    };
    expect_scores("knn_sparsity", mean_distance);
    expect_scores("typicality", [&](RowId row) { return 1.0 / mean_distance(row); });
}

// The variance in its other form, from the kernel matrix of the labeled rows.
TEST_F(FeatureScores, posterior_variance_is_that_of_a_gaussian_process) {
    const std::vector<RowId> labeled = test::taken_rows().centers;
    double squares = 0.0;
    for (const RowId row : labeled)
        squares += dot(features(row), features(row));
    const double noise =
        1e-3 * squares / static_cast<double>(ScoredRows::dim * std::ssize(labeled));
    std::vector<Vector> kernel;
    for (const RowId a : labeled) {
        Vector row;
        for (const RowId b : labeled)
            row.push_back(dot(features(a), features(b)) + (a == b ? noise : 0.0));
        kernel.push_back(row);
    }
    expect_scores("posterior_variance", [&](RowId row) {
        const Vector x = features(row);
        Vector to_labeled;
        for (const RowId other : labeled)
            to_labeled.push_back(dot(x, features(other)));
        return dot(x, x) - dot(to_labeled, solved(kernel, to_labeled));
    });
}

TEST_F(FeatureScores, posterior_variance_without_labels_is_the_prior) {
    for (const auto& [row, score] : scores_of(request_of("posterior_variance"), {}))
        EXPECT_NEAR(score, dot(features(row), features(row)), 1e-5);
}

// Some set of labeled rows in which no labeled row has a coefficient beyond 1.001 explains all
// scores: found here by trying every set.
TEST_F(FeatureScores, extrapolation_grade_is_of_a_dominant_set) {
    TakenRows taken;
    taken.centers = {3, 5, 8, 13, 21, 34, 40, 41, 42};
    const auto scores = scores_of(request_of("gamma"), taken);
    const auto size = taken.centers.size();
    int num_matches = 0;
    for (unsigned set = 0; set < (1U << size); ++set) {
        if (__builtin_popcount(set) != ScoredRows::dim) continue;
        std::vector<Vector> transposed(ScoredRows::dim);
        for (std::size_t i = 0; i < size; ++i)
            if ((set >> i & 1U) != 0)
                for (std::size_t k = 0; k < transposed.size(); ++k)
                    transposed[k].push_back(features(taken.centers[i])[k]);
        const auto grade = [&](RowId row) {
            double most = 0.0;
            for (const double c : solved(transposed, features(row)))
                most = std::max(most, std::abs(c));
            return most;
        };
        const bool is_dominant = std::all_of(taken.centers.begin(), taken.centers.end(),
                                             [&](RowId row) { return grade(row) <= 1.0010001; });
        if (!is_dominant) continue;
        num_matches += std::all_of(scores.begin(), scores.end(), [&](const auto& one) {
            return std::abs(one.second - grade(one.first)) <= 1e-6 * one.second;
        });
    }
    EXPECT_EQ(num_matches, 1);
}

TEST_F(FeatureScores, expected_gradient_length_is_that_of_every_label_by_hand) {
    const std::vector<float> p = test::softmax_of(rows_.logits, ScoredRows::classes);
    expect_scores("egl", [&](RowId row) {
        const Vector x = features(row);
        const Vector said = part(p, row, ScoredRows::classes);
        double expected = 0.0;
        for (std::size_t y = 0; y < said.size(); ++y) {
            double squares = 0.0;  // of the gradient's entries, [C, D]
            for (std::size_t c = 0; c < said.size(); ++c)
                for (const double value : x)
                    squares += std::pow((said[c] - (c == y ? 1.0 : 0.0)) * value, 2);
            expected += said[y] * std::sqrt(squares);
        }
        return expected;
    });
}

TEST_F(FeatureScores, emcm_is_the_mean_change_over_members) {
    expect_scores("emcm", [&](RowId row) {
        const Vector said = part(rows_.predictions, row, ScoredRows::members);
        const double mean = (said[0] + said[1] + said[2]) / 3;
        double sum = 0.0;
        for (const double f : said)
            sum += std::abs(mean - f) * std::sqrt(dot(features(row), features(row)));
        return sum / 3;
    });
}

TEST_F(FeatureScores, columns_lengths_and_costs) {
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

TEST_F(FeatureScores, trust_levels_are_of_scores_and_not_of_keys) {
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

TEST_F(FeatureScores, what_pool_and_labels_do_not_allow) {
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

TEST_F(FeatureScores, bad_rows_are_named_and_can_be_skipped) {
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

TEST_F(FeatureScores, negative_scores_are_not_divided_by_costs_and_have_no_power) {
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

TEST_F(FeatureScores, softrank_draws_by_rank_from_the_best_rows_only) {
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
