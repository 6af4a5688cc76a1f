// Every score of the catalog, combinations and noise: the same batch, to the bit, on any number of
// ranks, for any block size and any number of threads.
#include "scored_pool.hpp"
#include "select/score_catalog.hpp"
#include "support/mpi_main.hpp"
#include "support/shared_directory.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <set>

namespace sluice::select {
namespace {

struct Case {
    std::string score;
    std::string randomize = "none";
    Price price = Price::ignored;
    TrustLevels trust = {};
};

// Scores that a pool of probabilities has not.
bool reads_logits(const std::string& score) {
    return score == "boundary";
}
bool reads_model(const std::string& score) {
    return score == "total_std" || score == "learning_loss";
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    for (const CatalogScore& score : score_catalog())
        cases.push_back({score.name});
    for (const char* score :
         {"column:loss", "cost", "column:loss/column:length", "entropy^1.5*column:loss^0.5",
          "0.7*margin + 0.3*column:loss", "bald*information_density^2 + 0.1*random",
          "entropy*knn_density^0.25/cost", "margin + consensus_entropy + emcm"})
        cases.push_back({score});
    for (const char* noise : {"power:1", "power:8", "softmax:2.5", "softrank:1"})
        for (const Price price : {Price::ignored, Price::divides_score}) {
            cases.push_back({"entropy", noise, price});
            cases.push_back({"margin*column:loss", noise, price, {0.5F, 3.0F}});
        }
    cases.push_back({"random", "none", Price::divides_score});
    return cases;
}

class OneAnswer : public testing::Test {
  protected:
    OneAnswer() : world_(sluice::test::world()) {
        if (world_.is_root()) {
            const test::ScoredRows rows = test::make_scored_rows();
            test::write_scored_pool(directory_.file("p.h5"), rows, test::Kind::probability);
            test::write_scored_pool(directory_.file("l.h5"), rows, test::Kind::logit);
        }
        world_.barrier();
        probabilities_ = pool::open_pool({{directory_.file("p.h5")}}, world_);
        logits_ = pool::open_pool({{directory_.file("l.h5")}}, world_);
    }

    const pool::Pool& pool_of(const Case& one) const {
        return reads_logits(one.score) ? logits_ : probabilities_;
    }

    static PlanRequest request_of(const Case& one, const std::string& diversity) {
        PlanRequest request;
        request.score = one.score;
        request.randomize = one.randomize;
        request.price = one.price;
        request.trust = one.trust;
        request.diversity = diversity;
        request.batch_size = 17;
        request.shortlist_size = 40;
        request.seed = 5;
        request.device = kernels::DeviceChoice::cpu;
        request.num_threads = 1;
        if (reads_model(one.score)) request.committee = test::made_committee();
        return request;
    }

    void expect_one_answer(const Case& one, const std::string& diversity) {
        SCOPED_TRACE(one.score + " " + one.randomize + " " + diversity);
        PlanRequest request = request_of(one, diversity);
        comm::Communicator alone;
        const auto expected = test::selected(pool_of(one), request, alone);
        expect_sound(expected);
        for (const auto& [block_rows, threads] : {std::pair{7, 1}, std::pair{64, 2}}) {
            request.block_rows = block_rows;
            request.num_threads = threads;
            expect_same(test::selected(pool_of(one), request, world_), expected);
        }
    }

    static void expect_sound(const std::vector<Selected>& rows) {
        std::set<RowId> seen;
        for (const Selected& one : rows) {
            EXPECT_TRUE(std::isfinite(one.score));
            EXPECT_TRUE(one.row >= 40 && one.row != 50 && one.row != 60) << one.row;
            seen.insert(one.row);
        }
        EXPECT_EQ(seen.size(), rows.size());
        EXPECT_EQ(rows.size(), 17U);
    }

    static void expect_same(const std::vector<Selected>& got,
                            const std::vector<Selected>& expected) {
        ASSERT_EQ(got.size(), expected.size());
        for (std::size_t i = 0; i < got.size(); ++i) {
            EXPECT_EQ(got[i].row, expected[i].row) << i;
            EXPECT_EQ(std::bit_cast<std::uint32_t>(got[i].score),
                      std::bit_cast<std::uint32_t>(expected[i].score));
        }
    }

    comm::Communicator& world_;
    sluice::test::SharedDirectory directory_;
    pool::Pool probabilities_;
    pool::Pool logits_;
};

TEST_F(OneAnswer, of_the_best_rows) {
    for (const Case& one : all_cases())
        expect_one_answer(one, "none");
}

TEST_F(OneAnswer, of_two_stages) {
    for (const Case& one : all_cases())
        expect_one_answer(one, "k_center");
}

TEST_F(OneAnswer, of_logits_and_of_a_model) {
    for (const CatalogScore& score : score_catalog()) {
        if (score.row_score == nullptr || reads_model(score.name)) continue;
        const PlanRequest request = request_of({score.name}, "none");
        comm::Communicator alone;
        expect_same(test::selected(logits_, request, world_),
                    test::selected(logits_, request, alone));
    }
    PlanRequest request = request_of({"committee_std*column:loss + emcm"}, "none");
    request.committee = test::made_committee();
    comm::Communicator alone;
    expect_same(test::selected(probabilities_, request, world_),
                test::selected(probabilities_, request, alone));
}

}  // namespace
}  // namespace sluice::select
