#pragma once

#include "scored_pool.hpp"
#include "support/expect_error.hpp"
#include "support/temporary_directory.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>

namespace sluice::select::test {

using Vector = std::vector<double>;

/// Scores of all rows of a pool on this process alone; tests may change `rows_` and write() again.
class PoolScores : public testing::Test {
  protected:
    PoolScores() { write(); }

    void write() {
        const std::string path = directory_.path() + "/" + std::to_string(++num_files_) + ".h5";
        write_scored_pool(path, rows_, Kind::probability);
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
        return scores_of(request_of(score), taken_rows());
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
        sluice::test::expect_error(code, part, [&] { scores_of(request, taken_rows()); });
    }

    sluice::test::TemporaryDirectory directory_;
    comm::Communicator alone_;
    ScoredRows rows_ = make_scored_rows();
    pool::Pool pool_;
    int num_files_ = 0;
};

}  // namespace sluice::select::test
