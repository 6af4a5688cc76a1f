// Batches in parts, near-copies and reasons: what a plain program chooses, on any number of ranks,
// for any block size and any number of threads; ties and copies included.
#include "parts_case.hpp"
#include "plain_parts.hpp"
#include "scored_pool.hpp"
#include "select/explain.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_main.hpp"
#include "support/shared_directory.hpp"

#include <gtest/gtest.h>

#include <set>

namespace sluice::select {
namespace {

using test::ScoredRows;

ClassMix quota(const std::string& text) {
    return parse_quota(text);
}
ClassMix balance(const std::string& text) {
    return parse_balance(text);
}

using Case = test::PartsCase;

std::vector<Case> all_cases() {
    return {
        {"plain"},
        {.name = "random share", .random_share = 0.3},
        {.name = "all random", .random_share = 1.0},
        {.name = "most rows, copies of labeled ones among them",
         .random_share = 0.9,
         .batch = 150,
         .shortlist = 150},
        {.name = "quota", .mix = quota("1=5, 4=3")},
        {.name = "quota of each", .mix = quota("each=2")},
        {.name = "whole quota", .mix = quota("0=12, 2=12")},
        {.name = "balance", .mix = balance("0=0.5, 3=0.25")},
        {.name = "full balance", .mix = balance("0=0.2, 1=0.3, 2=0.5")},
        {.name = "uniform", .mix = balance("uniform")},
        {.name = "as the pool", .mix = balance("pool")},
        {.name = "catching up", .mix = balance("catch-up")},
        {.name = "balance with a shortage", .mix = balance("6=0.75, 0=0.25")},
        {.name = "near-copies", .distinct_within = 1.1},
        {.name = "near-copies with a shortage", .distinct_within = 2.5},
        {.name = "equal rows", .distinct_within = 0.0},
        {.name = "near-copies deep in the pool",
         .distinct_within = 2.0,
         .batch = 4,
         .shortlist = 6},
        {.name = "near-copies deep in their classes",
         .random_share = 0.4,
         .mix = balance("0=0.5, 1=0.3"),
         .distinct_within = 1.8,
         .batch = 5,
         .shortlist = 8},
        {.name = "everything",
         .random_share = 0.25,
         .mix = balance("uniform"),
         .distinct_within = 0.8},
        {.name = "quota and copies",
         .random_share = 0.1,
         .mix = quota("each=2"),
         .copies = Copies::drop},
        {.name = "from the whole pool", .mix = balance("0=0.6, 3=0.4"), .shortlist = 1 << 20},
        {.name = "least distance", .min_distance = 1.2},
        {.name = "least distance in parts",
         .random_share = 0.2,
         .mix = balance("uniform"),
         .min_distance = 0.5},
    };
}

class PartsTest : public testing::Test {
  protected:
    PartsTest() : world_(sluice::test::world()), rows_(test::make_scored_rows()) {
        plain_.dim = ScoredRows::dim;
        plain_.features = rows_.features;
        plain_.scores = rows_.loss;
        for (RowId row = 0; row < ScoredRows::rows; ++row)
            plain_.classes.push_back(test::kind_of(row));
        const TakenRows taken = test::taken_rows();
        plain_.centers = taken.centers;
        const std::vector<RowId> all = taken.all();
        for (RowId row = 0; row < ScoredRows::rows; ++row)
            if (!std::binary_search(all.begin(), all.end(), row)) plain_.candidates.push_back(row);
        if (world_.is_root()) write(directory_.file("p.h5"));
        world_.barrier();
        pool_ = pool::open_pool({{directory_.file("p.h5")}}, world_);
    }

    void write(const std::string& path) const {
        h5::OutputFile file(path);
        file.set_attribute("/", "format", std::string("sluice-pool"));
        file.set_attribute("/", "format_version", std::int64_t{1});
        file.write_dataset("features", std::span(plain_.features),
                           {ScoredRows::rows, ScoredRows::dim});
        file.write_dataset("columns/loss", std::span(plain_.scores), {ScoredRows::rows});
        file.write_dataset("columns/kind", std::span(plain_.classes), {ScoredRows::rows});
        file.close();
    }

    static PlanRequest request_of(const Case& one, const std::string& diversity) {
        return test::request_of(one, diversity, {.batch = 24, .shortlist = 72});
    }

    Selection select(const PlanRequest& request) {
        const TakenRows taken = test::taken_rows();
        const Plan plan = make_plan(pool_, request, taken, world_);
        Selection selection = select_two_stage(pool_, plan, taken, world_);
        if (request.score == "column:loss") expect_map(plan, selection);
        return selection;
    }

    // Every row of the shortlist has the nearest chosen row, and the chosen ones themselves.
    void expect_map(const Plan& plan, const Selection& selection) {
        const std::vector<MapLine> lines = map_shortlist(pool_, plan, selection, world_);
        if (!world_.is_root() || selection.rows.empty()) return;
        EXPECT_EQ(std::ssize(lines), selection.shortlist_size);
        std::set<RowId> mapped;
        for (const MapLine& line : lines) {
            RowId best = -1;
            float least = std::numeric_limits<float>::infinity();
            std::vector<Selected> rows = selection.rows;
            std::sort(rows.begin(), rows.end(),
                      [](const auto& left, const auto& right) { return left.row < right.row; });
            for (const Selected& chosen : rows) {
                float sum = 0.0F;
                for (std::int64_t k = 0; k < ScoredRows::dim; ++k) {
                    const float difference = feature(line.row, k) - feature(chosen.row, k);
                    sum = std::fma(difference, difference, sum);
                }
                if (sum < least) {
                    least = sum;
                    best = chosen.row;
                }
            }
            EXPECT_EQ(line.chosen, best) << line.row;
            EXPECT_EQ(line.distance, std::sqrt(least)) << line.row;
            EXPECT_EQ(line.score, plain_.scores[static_cast<std::size_t>(line.row)]);
            mapped.insert(line.row);
        }
        EXPECT_EQ(std::ssize(mapped), selection.shortlist_size);
        for (const Selected& chosen : selection.rows)
            EXPECT_TRUE(mapped.contains(chosen.row)) << chosen.row;
    }

    float feature(RowId row, std::int64_t k) const {
        return plain_.features[static_cast<std::size_t>(row * ScoredRows::dim + k)];
    }

    void expect_error(const PlanRequest& request, ExitCode code, const std::string& what) {
        sluice::test::expect_error(code, what, [&] { select(request); });
    }

    comm::Communicator& world_;
    sluice::test::SharedDirectory directory_;
    ScoredRows rows_;
    test::PlainPool plain_;
    pool::Pool pool_;
};

TEST_F(PartsTest, choose_what_a_plain_program_chooses) {
    for (const Case& one : all_cases()) {
        for (const std::string diversity : {"none", "k_center"}) {
            SCOPED_TRACE(one.name + " " + diversity);
            PlanRequest request = request_of(one, diversity);
            const std::vector<Selected> expected = test::PlainParts(plain_, request).run();
            for (const auto& [block_rows, threads] : {std::pair{7, 1}, std::pair{64, 2}}) {
                request.block_rows = block_rows;
                request.num_threads = threads;
                test::expect_same(select(request).rows, expected);
            }
        }
    }
}

TEST_F(PartsTest, radius_and_redundancy_are_of_the_whole_batch) {
    const Case one{.name = "", .random_share = 0.3, .mix = balance("uniform")};
    const Selection selection = select(request_of(one, "k_center"));
    comm::Communicator alone;
    const TakenRows taken = test::taken_rows();
    const Plan plan = make_plan(pool_, request_of(one, "k_center"), taken, alone);
    const Selection expected = select_two_stage(pool_, plan, taken, alone);
    EXPECT_EQ(selection.covering_radius, expected.covering_radius);
    EXPECT_EQ(selection.redundancy, expected.redundancy);
    double radius = 0.0;
    std::vector<RowId> centers = plain_.centers;
    for (const Selected& chosen : expected.rows)
        centers.push_back(chosen.row);
    for (const Candidate& candidate : expected.shortlist) {
        double least = std::numeric_limits<double>::infinity();
        for (const RowId center : centers) {
            double sum = 0.0;
            for (std::int64_t k = 0; k < ScoredRows::dim; ++k) {
                const double difference = static_cast<double>(feature(candidate.row, k)) -
                                          static_cast<double>(feature(center, k));
                sum += difference * difference;
            }
            least = std::min(least, std::sqrt(sum));
        }
        radius = std::max(radius, least);
    }
    EXPECT_NEAR(static_cast<double>(expected.covering_radius), radius, 1e-6);
}

TEST_F(PartsTest, shortages_are_named) {
    const Case one{.name = "", .mix = balance("6=0.75, 0=0.25")};
    const Selection selection = select(request_of(one, "none"));
    EXPECT_EQ(selection.note,
              "class '6' gave 4 of 18 rows; what they lack was chosen from all classes");
    EXPECT_EQ(std::ssize(selection.rows), 24);
}

TEST_F(PartsTest, refuse_what_cannot_be) {
    Case one{.name = "", .mix = quota("6=5")};
    expect_error(request_of(one, "none"), ExitCode::bad_data,
                 "--quota: class '6' of column:kind has 4 candidates, fewer than the 5 asked for");
    one.mix = quota("8=1");
    expect_error(request_of(one, "none"), ExitCode::bad_data, "class '8' of column:kind has 0");
    one.mix = quota("1=20, 2=5");
    expect_error(request_of(one, "none"), ExitCode::usage, "25 rows are more than the batch's 24");
    one.mix = quota("each=5");
    expect_error(request_of(one, "none"), ExitCode::usage, "more than the batch's 24");
    one.mix = quota("cat=1");
    expect_error(request_of(one, "none"), ExitCode::bad_data, "'cat' can be no class of");
    one.mix = quota("1=1, 01=1");
    expect_error(request_of(one, "none"), ExitCode::usage, "is a class named before");
    one = {.name = "", .random_share = 1.5};
    expect_error(request_of(one, "none"), ExitCode::usage, "--random-share: 1.5");
    PlanRequest request = request_of({"plain"}, "none");
    request.score = "column:loss*similarity";
    expect_error(request, ExitCode::usage, "give --similar-to FILE");
    request = request_of({"plain"}, "none");
    request.similar = std::make_shared<SimilarTo>();
    expect_error(request, ExitCode::usage, "--similar-to: the score does not use it");
}

TEST_F(PartsTest, similarity_is_a_factor_of_the_score) {
    for (const std::string metric : {"euclidean", "cosine"}) {
        SCOPED_TRACE(metric);
        auto similar = std::make_shared<SimilarTo>();
        similar->dim = ScoredRows::dim;
        similar->values.assign(plain_.features.begin() + 70 * ScoredRows::dim,
                               plain_.features.begin() + 73 * ScoredRows::dim);
        std::vector<double> given(similar->values.begin(), similar->values.end());
        if (metric == "cosine") kernels::normalize_rows(similar->values.data(), 3, similar->dim);
        PlanRequest request = request_of({"plain"}, "none");
        request.score = "similarity^2*column:loss";
        request.similar = similar;
        request.metric = metric;
        for (const Selected& one : select(request).rows) {
            double best = 0.0;
            for (std::size_t g = 0; g < 3; ++g) {
                double squares = 0.0;
                double dot = 0.0;
                double norms[2] = {};
                for (std::int64_t k = 0; k < ScoredRows::dim; ++k) {
                    const auto x = static_cast<double>(feature(one.row, k));
                    const double y = given[g * ScoredRows::dim + static_cast<std::size_t>(k)];
                    squares += (x - y) * (x - y);
                    dot += x * y;
                    norms[0] += x * x;
                    norms[1] += y * y;
                }
                const double value = metric == "cosine"
                                         ? (1.0 + dot / std::sqrt(norms[0] * norms[1])) / 2.0
                                         : 1.0 / (1.0 + std::sqrt(squares));
                best = std::max(best, value);
            }
            const double loss =
                static_cast<double>(plain_.scores[static_cast<std::size_t>(one.row)]);
            EXPECT_NEAR(static_cast<double>(one.score), best * best * loss, 1e-5 * loss);
        }
    }
}

TEST(ClassMixTest, shares_are_dealt_by_largest_remainders) {
    EXPECT_EQ(apportion(std::vector<double>{0.5, 0.3, 0.2}, 10),
              (std::vector<std::int64_t>{5, 3, 2}));
    EXPECT_EQ(apportion(std::vector<double>{1.0, 1.0, 1.0}, 10),
              (std::vector<std::int64_t>{4, 3, 3}));
    // Exact parts of 9.061, 7.179, 5.259, 3.319 and 1.182.
    EXPECT_EQ(apportion(std::vector<double>{9061, 7179, 5259, 3319, 1182}, 26),
              (std::vector<std::int64_t>{9, 7, 5, 4, 1}));
}

TEST(ClassMixTest, a_batch_catches_up_with_the_pool) {
    // Of 100 rows 50, 30, 20 in three classes, of 20 labeled ones 16, 4, 0: shares of 0.5 - 0.8,
    // 0.3 - 0.2 and 0.2 - 0.
    const std::vector<std::int64_t> candidates = {34, 26, 20};
    const std::vector<std::int64_t> labeled = {16, 4, 0};
    const std::vector<double> shares = shares_lacking(candidates, labeled);
    EXPECT_DOUBLE_EQ(shares[0], 0.0);
    EXPECT_NEAR(shares[1], 0.1, 1e-12);
    EXPECT_NEAR(shares[2], 0.2, 1e-12);
    EXPECT_EQ(apportion(shares, 10), (std::vector<std::int64_t>{0, 3, 7}));
    EXPECT_EQ(shares_lacking(candidates, std::vector<std::int64_t>{0, 0, 0}),
              (std::vector<double>{34.0 / 80.0, 26.0 / 80.0, 20.0 / 80.0}));
    EXPECT_EQ(shares_lacking(std::vector<std::int64_t>{0, 5}, std::vector<std::int64_t>{0, 5}),
              (std::vector<double>{0.0, 5.0}));
}

TEST(ClassMixTest, texts_are_read_back) {
    for (const std::string text : {"each=3", "0=5, 1=2", "sunny day=1"})
        EXPECT_EQ(parse_quota(parse_quota(text).text()), parse_quota(text));
    for (const std::string text : {"uniform", "pool", "catch-up", "a=0.25, b=0.75", "x=y=0.5"})
        EXPECT_EQ(parse_balance(text).text(), text);
    for (const std::string text : {"", "a", "a=", "=1", "a=0", "a=1.5", "a=-1", "a=1,a=1"})
        sluice::test::expect_error(ExitCode::usage, "--quota: '", [&] { parse_quota(text); });
    for (const std::string text : {"", "a=0", "a=-0.5", "a=0.6, b=0.6", "a=nan", "a=0.1, a=0.1"})
        sluice::test::expect_error(ExitCode::usage, "--balance: '", [&] { parse_balance(text); });
}

}  // namespace
}  // namespace sluice::select
