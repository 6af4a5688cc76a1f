// Batches of items in parts: what a plain program chooses among the rows that stand for the items,
// on any number of ranks, for any block size and any number of threads.
#include "parts_case.hpp"
#include "plain_parts.hpp"
#include "scored_pool.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_main.hpp"
#include "support/shared_directory.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace sluice::select {
namespace {

using test::ScoredRows;

using Case = test::PartsCase;

std::vector<Case> all_cases() {
    return {
        {"plain"},
        {.name = "random share", .random_share = 0.4},
        {.name = "all random", .random_share = 1.0},
        {.name = "quota", .mix = parse_quota("1=4, 4=3")},
        {.name = "quota of each", .mix = parse_quota("each=2")},
        {.name = "balance", .mix = parse_balance("0=0.5, 3=0.25")},
        {.name = "balance with a shortage", .mix = parse_balance("6=0.75, 0=0.25")},
        {.name = "uniform", .mix = parse_balance("uniform")},
        {.name = "as the pool", .mix = parse_balance("pool")},
        {.name = "catching up", .mix = parse_balance("catch-up")},
        {.name = "near-copies", .distinct_within = 1.4},
        {.name = "near-copies deep in the pool",
         .distinct_within = 2.2,
         .batch = 4,
         .shortlist = 5},
        {.name = "everything",
         .random_share = 0.25,
         .mix = parse_balance("uniform"),
         .distinct_within = 0.8},
        {.name = "from the whole pool", .mix = parse_balance("0=0.6, 3=0.4"), .shortlist = 1 << 20},
        {.name = "least distance in parts",
         .random_share = 0.2,
         .mix = parse_balance("uniform"),
         .min_distance = 0.5},
    };
}

class ItemPartsTest : public testing::Test {
  protected:
    ItemPartsTest() : world_(sluice::test::world()), rows_(test::make_scored_rows()) {
        std::mt19937 generator(5);
        while (std::ssize(groups_) < ScoredRows::rows) {
            const auto size = static_cast<std::int64_t>(generator() % 5 + 1);
            const std::int64_t number = 1000 - std::ssize(borders_);  // in no rising order
            borders_.push_back(std::ssize(groups_));
            for (std::int64_t i = 0; i < size && std::ssize(groups_) < ScoredRows::rows; ++i)
                groups_.push_back(number);
        }
        borders_.push_back(ScoredRows::rows);
        for (RowId row = 0; row < ScoredRows::rows; ++row)
            kinds_.push_back(test::kind_of(row));
        if (world_.is_root()) write(directory_.file("p.h5"));
        world_.barrier();
        pool_ = pool::open_pool({{directory_.file("p.h5")}}, world_);
    }

    void write(const std::string& path) const {
        h5::OutputFile file(path);
        file.set_attribute("/", "format", std::string("sluice-pool"));
        file.set_attribute("/", "format_version", std::int64_t{1});
        file.write_dataset("features", std::span(rows_.features),
                           {ScoredRows::rows, ScoredRows::dim});
        file.write_dataset("columns/loss", std::span(rows_.loss), {ScoredRows::rows});
        file.write_dataset("columns/kind", std::span(kinds_), {ScoredRows::rows});
        file.write_dataset("groups", std::span(groups_), {ScoredRows::rows});
        file.close();
    }

    // Rows 0 to 39 are labeled: all of some items, a part of one; 50 and 60 are kept for tests.
    static TakenRows taken() { return test::taken_rows(); }

    float score_of(RowId row) const { return rows_.loss[static_cast<std::size_t>(row)]; }

    float item_score(RowId begin, RowId end, const std::string& rule) const {
        std::vector<float> scores(rows_.loss.begin() + begin, rows_.loss.begin() + end);
        if (rule == "max") return *std::max_element(scores.begin(), scores.end());
        if (rule == "top_mean:2") {
            std::sort(scores.begin(), scores.end(), std::greater<>());
            scores.resize(std::min<std::size_t>(2, scores.size()));
        }
        const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
        return static_cast<float>(rule == "sum" ? sum : sum / static_cast<double>(scores.size()));
    }

    // What the items come down to: a row of each, with the item's score.
    test::PlainPool reduced(const std::string& rule) const {
        test::PlainPool plain;
        plain.dim = ScoredRows::dim;
        plain.features = rows_.features;
        plain.scores = rows_.loss;
        plain.classes = kinds_;
        plain.centers = taken().centers;
        plain.drawn_by.resize(ScoredRows::rows);
        const std::vector<RowId> all = taken().all();
        for (std::size_t item = 0; item + 1 < borders_.size(); ++item) {
            const auto holds = [&](const std::vector<RowId>& some) {
                const auto at = std::lower_bound(some.begin(), some.end(), borders_[item]);
                return at != some.end() && *at < borders_[item + 1];
            };
            RowId best = borders_[item];
            for (RowId row = best + 1; row < borders_[item + 1]; ++row)
                if (score_of(row) > score_of(best)) best = row;
            plain.drawn_by[static_cast<std::size_t>(best)] = borders_[item];
            plain.scores[static_cast<std::size_t>(best)] =
                item_score(borders_[item], borders_[item + 1], rule);
            if (!holds(all)) plain.candidates.push_back(best);
            if (holds(plain.centers)) plain.labeled_counts.push_back(best);
        }
        return plain;
    }

    static PlanRequest request_of(const Case& one, const std::string& diversity,
                                  const std::string& rule) {
        PlanRequest request = test::request_of(one, diversity, {.batch = 12, .shortlist = 30});
        request.items = rule;
        return request;
    }

    Selection select(const PlanRequest& request) {
        const Plan plan = make_plan(pool_, request, taken(), world_);
        return select_two_stage(pool_, plan, taken(), world_);
    }

    // Whole items, in the order of their picks.
    void expect_instances(const Selection& selection) const {
        std::size_t at = 0;
        for (std::size_t pick = 0; pick < selection.rows.size(); ++pick) {
            const auto next =
                std::upper_bound(borders_.begin(), borders_.end(), selection.rows[pick].row);
            for (RowId row = *(next - 1); row < *next; ++row, ++at) {
                ASSERT_LT(at, selection.instances.size());
                EXPECT_EQ(selection.instances[at].row, row);
                EXPECT_EQ(selection.instances[at].pick, static_cast<std::int64_t>(pick));
            }
        }
        EXPECT_EQ(at, selection.instances.size());
    }

    comm::Communicator& world_;
    sluice::test::SharedDirectory directory_;
    ScoredRows rows_;
    std::vector<std::int64_t> groups_;
    std::vector<RowId> borders_;  // first row of each item, and the end
    std::vector<std::int64_t> kinds_;
    pool::Pool pool_;
};

TEST_F(ItemPartsTest, choose_what_a_plain_program_chooses_among_the_best_rows) {
    int number = 0;
    for (const Case& one : all_cases()) {
        for (const std::string diversity : {"none", "k_center"}) {
            const std::string rule =
                std::vector<std::string>{"mean", "max", "top_mean:2", "sum"}[++number % 4];
            SCOPED_TRACE(one.name + " " + diversity + " " + rule);
            const test::PlainPool plain = reduced(rule);
            PlanRequest request = request_of(one, diversity, rule);
            const std::vector<Selected> expected = test::PlainParts(plain, request).run();
            ASSERT_FALSE(expected.empty());
            for (const auto& [block_rows, threads] : {std::pair{7, 1}, std::pair{64, 2}}) {
                request.block_rows = block_rows;
                request.num_threads = threads;
                const Selection selection = select(request);
                test::expect_same(selection.rows, expected);
                expect_instances(selection);
                EXPECT_EQ(selection.num_candidates, std::ssize(plain.candidates));
            }
        }
    }
}

// All items have the same chance, and the draw does not depend on what they are scored by.
TEST_F(ItemPartsTest, chance_is_of_items_whatever_their_scores) {
    const auto drawn = [&](const std::string& score) {
        PlanRequest request = request_of({.name = "", .random_share = 1.0}, "none", "mean");
        request.score = score;
        std::set<RowId> items;
        for (const Selected& one : select(request).rows)
            items.insert(*(std::upper_bound(borders_.begin(), borders_.end(), one.row) - 1));
        return items;
    };
    EXPECT_EQ(drawn("column:loss").size(), 12U);
    EXPECT_EQ(drawn("column:loss"), drawn("column:loss^-1"));
}

TEST_F(ItemPartsTest, shortages_are_counted_in_items) {
    Case one{.name = "", .mix = parse_balance("6=0.75, 0=0.25")};
    const test::PlainPool plain = reduced("max");
    const auto of_six =
        std::count_if(plain.candidates.begin(), plain.candidates.end(),
                      [&](RowId row) { return plain.classes[static_cast<std::size_t>(row)] == 6; });
    ASSERT_LT(of_six, 9);
    const Selection selection = select(request_of(one, "none", "max"));
    EXPECT_EQ(selection.note, "class '6' gave " + std::to_string(of_six) +
                                  " of 9 items; what they lack was chosen from all classes");
    EXPECT_EQ(std::ssize(selection.rows), 12);
    one.mix = parse_quota("6=" + std::to_string(of_six + 1));
    sluice::test::expect_error(ExitCode::bad_data, "fewer than the",
                               [&] { select(request_of(one, "none", "max")); });
    one.mix = parse_quota("0=13");
    sluice::test::expect_error(ExitCode::usage, "13 items are more than the batch's 12",
                               [&] { select(request_of(one, "none", "max")); });
}

TEST_F(ItemPartsTest, instances_end_a_batch_in_parts) {
    PlanRequest request = request_of(
        {.name = "", .random_share = 0.25, .mix = parse_quota("1=4, 4=3")}, "k_center", "mean");
    const Selection whole = select(request);
    std::vector<std::int64_t> sizes(whole.rows.size(), 0);
    for (const Instance& one : whole.instances)
        ++sizes[static_cast<std::size_t>(one.pick)];
    request.batch_instances = sizes[0] + sizes[1] + sizes[2] + sizes[3] + sizes[4];
    const Selection cut = select(request);
    ASSERT_EQ(cut.rows.size(), 5U);
    for (std::size_t i = 0; i < cut.rows.size(); ++i)
        EXPECT_EQ(cut.rows[i].row, whole.rows[i].row);
    EXPECT_EQ(std::ssize(cut.instances), request.batch_instances);
}

}  // namespace
}  // namespace sluice::select
