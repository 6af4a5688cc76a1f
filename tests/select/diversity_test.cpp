#include "select/diversity.hpp"

#include "diversity_lists.hpp"
#include "support/expect_error.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <set>

namespace sluice::select {
namespace {

using test::List;
using test::make_list;
using test::options_of;
using test::Split;

std::vector<std::string> rules() {
    std::vector<std::string> names;
    for (const DiversityDefinition& rule : diversity_definitions()) {
        if (rule.pick != nullptr) names.push_back(rule.name);
    }
    return names;
}

class EveryRule : public ::testing::TestWithParam<std::string> {
  protected:
    DiversityOptions options(std::int64_t num_picks) const {
        return options_of(num_picks, test::usual_parameters(GetParam()));
    }

    DiverseBatch alone(const List& list, const DiversityOptions& options) const {
        comm::Communicator one;
        return test::pick(list, GetParam(), options, one);
    }

    void expect_one_answer(const List& list, DiversityOptions options, const std::string& what) {
        // Outcomes are drawn from the sixth pick on: eight say as much as all.
        if (GetParam() == "batchbald")
            options.num_picks = std::min<std::int64_t>(options.num_picks, 8);
        const DiverseBatch expected = alone(list, options);
        ASSERT_EQ(std::ssize(expected.picks), std::min(options.num_picks, list.size())) << what;
        for (const Split split : {Split::contiguous, Split::interleaved, Split::last_rank}) {
            // Many ranks on few cores take long to talk.
            if (sluice::test::world().size() > 3 && split != Split::interleaved) continue;
            options.num_threads = split == Split::interleaved ? 2 : 1;
            const DiverseBatch batch =
                test::pick(list, GetParam(), options, sluice::test::world(), split);
            ASSERT_EQ(batch.picks.size(), expected.picks.size()) << what;
            for (std::size_t i = 0; i < batch.picks.size(); ++i) {
                ASSERT_EQ(batch.picks[i].row, expected.picks[i].row) << what << ", pick " << i;
                ASSERT_EQ(batch.picks[i].value, expected.picks[i].value) << what << ", pick " << i;
            }
        }
    }
};

TEST_P(EveryRule, gives_one_answer_for_any_sharing) {
    for (const std::int64_t num_centers : {0, 1, 9}) {
        if (num_centers < 9 && sluice::test::world().size() > 3) continue;
        const std::string what = std::to_string(num_centers) + " centres, ";
        expect_one_answer(make_list(90, 5, 1, 0, num_centers), options(12), what + "normal");
        expect_one_answer(make_list(120, 2, 2, 4, num_centers), options(12), what + "ties, copies");
    }
    List copies = make_list(40, 3, 3, 1, 2);  // all the same
    expect_one_answer(copies, options(12), "copies");
    const bool is_cubic = GetParam() == "bait_classes" || GetParam() == "firal";
    expect_one_answer(make_list(20, is_cubic ? 6 : 60, 4, 0, 3), options(40), "all rows");
    expect_one_answer(make_list(3, 2, 5, 0, 0), options(2), "fewer rows than ranks");
}

TEST_P(EveryRule, picks_no_row_twice_and_every_row_when_asked) {
    for (const int levels : {0, 3}) {
        const List list = make_list(45, 3, 7, levels, 4);
        std::set<RowId> rows;
        for (const DiversePick& pick : alone(list, options(45)).picks) {
            EXPECT_TRUE(rows.insert(pick.row).second) << pick.row;
            EXPECT_EQ(List::row(List::place(pick.row)), pick.row);
        }
        EXPECT_EQ(rows.size(), 45U);
    }
}

TEST_P(EveryRule, has_nothing_to_do_without_picks) {
    EXPECT_TRUE(alone(make_list(20, 2, 8, 0, 1), options(0)).picks.empty());
}

TEST_P(EveryRule, says_what_it_needs) {
    const DiversityDefinition& rule = find_diversity(GetParam());
    EXPECT_TRUE(rule.needs_features);
    EXPECT_FALSE(rule.value.empty());
    const DiversityForecast small = rule.forecast({1000, 500, 8, 12, 10, 5, 1});
    const DiversityForecast large = rule.forecast({9000, 4500, 8, 12, 90, 5, 1});
    EXPECT_GT(small.memory_bytes, 0);
    EXPECT_GT(large.memory_bytes, small.memory_bytes);
    EXPECT_GE(large.rounds, small.rounds);
}

INSTANTIATE_TEST_SUITE_P(Diversity, EveryRule, ::testing::ValuesIn(rules()),
                         [](const auto& rule) { return rule.param; });

TEST(Diversities, are_found_by_alias_and_near_misses_are_named) {
    EXPECT_EQ(find_diversity("coreset").name, "k_center");
    EXPECT_EQ(find_diversity("uherding").name, "facility_location");
    EXPECT_EQ(find_diversity("kmeans++").name, "kmeanspp");
    std::set<std::string> seen;
    for (const DiversityDefinition& rule : diversity_definitions()) {
        EXPECT_TRUE(seen.insert(rule.name).second) << rule.name;
        for (const std::string& alias : rule.aliases)
            EXPECT_TRUE(seen.insert(alias).second) << alias;
    }
    sluice::test::expect_error(ExitCode::usage, "did you mean badge?",
                               [] { find_diversity("bagde"); });
}

TEST(Diversities, refuse_numbers_they_do_not_take) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const auto check = [](const std::string& rule, DiversityParameters parameters) {
        check_parameters(find_diversity(rule), parameters);
    };
    check("maxdet", {2.0, 0.1, nan});
    sluice::test::expect_error(ExitCode::usage, "--strength: --diversify lcmd does not use it",
                               [&] {
                                   check("lcmd", {1.0, nan, nan});
                               });
    sluice::test::expect_error(ExitCode::usage, "give a finite number > 0", [&] {
        check("maxdet", {nan, 0.0, nan});
    });
    sluice::test::expect_error(ExitCode::usage, "give a finite number >= 0", [&] {
        check("usdm", {-1.0, nan, nan});
    });
    sluice::test::expect_error(ExitCode::usage, "does not use it", [&] {
        check("none", {nan, nan, 1.0});
    });
}

TEST(Diversities, refuse_scores_below_0_as_weights) {
    List list = make_list(20, 2, 9, 0, 1);
    list.scores[11] = -0.5F;
    for (const std::string rule : {"facility_location", "gist"}) {
        sluice::test::expect_error(ExitCode::usage, "row 40 has a score of -0.5", [&] {
            test::pick(list, rule, options_of(3), sluice::test::world());
        });
    }
}

TEST(Diversities, prob_cover_must_be_told_how_far) {
    const List list = make_list(20, 2, 9, 0, 1);
    sluice::test::expect_error(ExitCode::usage, "--radius: missing", [&] {
        test::pick(list, "prob_cover", options_of(3), sluice::test::world());
    });
}

}  // namespace
}  // namespace sluice::select
