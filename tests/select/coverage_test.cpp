/// facility_location, prob_cover and graph_cut against the greedy that brings every candidate's
/// gain up to date for each pick: the same picks to the bit, in few exchanges.

#include "expect_in_rounds.hpp"
#include "kernels/similarity_rows.hpp"
#include "select/diversity/row_greedy.hpp"
#include "select/diversity/similarity.hpp"
#include "support/mpi_main.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sluice::select {
namespace {

using test::expect_in_rounds;
using test::List;
using test::make_list;
using test::options_of;
using test::Split;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<DiversePick> plain_greedy(const List& list, const Similarity& similarity,
                                      const std::vector<double>& weights, std::int64_t num_picks) {
    const auto size = static_cast<std::size_t>(list.size());
    std::vector<float> covered(size, 0.0F);
    const auto similar_to = [&](const float* center) {
        std::vector<float> similar(size);
        for (std::size_t i = 0; i < size; ++i) {
            similar[i] = similarity.of(
                kernels::squared_distance(list.at(static_cast<std::int64_t>(i)), center, list.dim));
        }
        return similar;
    };
    const auto cover = [&](const std::vector<float>& similar) {
        for (std::size_t i = 0; i < size; ++i)
            covered[i] = std::max(covered[i], similar[i]);
    };
    for (std::int64_t c = 0; c < list.num_centers(); ++c)
        cover(similar_to(list.center(c)));
    std::vector<std::vector<float>> similar;
    for (std::int64_t j = 0; j < list.size(); ++j)
        similar.push_back(similar_to(list.at(j)));
    std::vector<bool> taken(size, false);
    std::vector<DiversePick> picks;
    while (std::ssize(picks) < std::min(num_picks, list.size())) {
        Gain best;
        for (std::size_t j = 0; j < size; ++j) {
            if (taken[j]) continue;
            const Gain one{kernels::uncovered_sum(similar[j], covered, weights),
                           List::row(static_cast<std::int64_t>(j))};
            if (beats(one, best)) best = one;
        }
        const auto place = static_cast<std::size_t>(List::place(best.row));
        taken[place] = true;
        cover(similar[place]);
        picks.push_back({best.row, static_cast<float>(best.gain)});
    }
    return picks;
}

std::vector<double> scores_of(const List& list) {
    return {list.scores.begin(), list.scores.end()};
}

TEST(Coverage, facility_location_gives_the_picks_of_the_plain_greedy) {
    for (const float length : {0.4F, 3.0F}) {
        const Similarity similarity{Similarity::Kernel::gaussian, length};
        for (const std::int64_t num_centers : {0, 3}) {
            List list = make_list(900, 4, 60, 0, num_centers);
            for (std::size_t i = 0; i < list.scores.size(); i += 3)
                list.scores[i] = 0.0F;  // what they are covered by counts for nothing
            const DiversityOptions options = options_of(150, {1.0, nan, length});
            expect_in_rounds(list, "facility_location", options,
                             plain_greedy(list, similarity, scores_of(list), 150), 150 / 6);
        }
        const List ties = make_list(400, 2, 61, 7, 2);
        expect_in_rounds(ties, "facility_location", options_of(400, {0.0, nan, length}),
                         plain_greedy(ties, similarity, std::vector<double>(400, 1.0), 400), 60);
    }
}

TEST(Coverage, prob_cover_gives_the_picks_of_the_plain_greedy) {
    const Similarity similarity{Similarity::Kernel::ball, 0.5F};
    const List list = make_list(900, 3, 62, 0, 2);
    expect_in_rounds(list, "prob_cover", options_of(300, {nan, nan, 0.5}),
                     plain_greedy(list, similarity, std::vector<double>(900, 1.0), 300), 300 / 6);
    const List copies = make_list(300, 3, 63, 2, 0);
    expect_in_rounds(copies, "prob_cover", options_of(40, {nan, nan, 0.5}),
                     plain_greedy(copies, similarity, std::vector<double>(300, 1.0), 40), 10);
}

// Outliers that cover nothing but themselves leave all lists as long as they were: panels are as
// small as memory asks for, and picks the same.
TEST(Coverage, picks_the_same_where_no_list_gets_shorter) {
    List list = make_list(600, 2, 64, 0, 0);
    for (std::int64_t i = 0; i < 60; ++i) {
        list.features[static_cast<std::size_t>(20 * i)] += 100.0F * static_cast<float>(i + 1);
        list.scores[static_cast<std::size_t>(10 * i)] = 1e4F + static_cast<float>(i);
    }
    const Similarity similarity{Similarity::Kernel::gaussian, 2.0F};
    expect_in_rounds(list, "facility_location", options_of(90, {1.0, nan, 2.0}),
                     plain_greedy(list, similarity, scores_of(list), 90), 20);
}

std::vector<DiversePick> plain_cut(const List& list, const Similarity& similarity, double strength,
                                   std::int64_t num_picks) {
    const auto similar = [&](std::int64_t i, std::int64_t j) {
        return double{similarity.of(kernels::squared_distance(list.at(i), list.at(j), list.dim))};
    };
    std::vector<double> gains;
    for (std::int64_t j = 0; j < list.size(); ++j) {
        double sums[4] = {};
        for (std::int64_t i = 0; i < list.size(); ++i)
            sums[i % 4] += similar(j, i);
        gains.push_back(strength * ((sums[0] + sums[1]) + (sums[2] + sums[3])) - 1.0);
    }
    std::vector<std::uint8_t> taken(gains.size(), 0);
    std::vector<RowId> rows;
    for (std::int64_t j = 0; j < list.size(); ++j)
        rows.push_back(List::row(j));
    std::vector<DiversePick> picks;
    while (std::ssize(picks) < std::min(num_picks, list.size())) {
        const Gain best = best_free(rows, taken, [&](std::size_t j) { return gains[j]; });
        const std::int64_t place = List::place(best.row);
        taken[static_cast<std::size_t>(place)] = 1;
        picks.push_back({best.row, static_cast<float>(best.gain)});
        for (std::int64_t j = 0; j < list.size(); ++j)
            gains[static_cast<std::size_t>(j)] -= 2.0 * similar(j, place);
    }
    return picks;
}

TEST(Coverage, graph_cut_gives_the_picks_of_the_plain_greedy) {
    const Similarity similarity{Similarity::Kernel::gaussian, 1.2F};
    for (const double strength : {0.01, 1.0}) {
        const List list = make_list(900, 4, 66, 0, 2);
        expect_in_rounds(list, "graph_cut", options_of(200, {strength, nan, 1.2}),
                         plain_cut(list, similarity, strength, 200), 200 / 10);
        const List ties = make_list(400, 2, 67, 7, 0);
        expect_in_rounds(ties, "graph_cut", options_of(400, {strength, nan, 1.2}),
                         plain_cut(ties, similarity, strength, 400), 400 / 10);
    }
}

TEST(Coverage, exchanges_a_bounded_number_of_times) {
    comm::Communicator& world = sluice::test::world();
    const List list = make_list(3000, 8, 65, 0, 0);
    for (const std::string rule : {"facility_location", "prob_cover", "graph_cut"}) {
        const std::int64_t before = world.traffic().collectives;
        const DiverseBatch batch =
            test::pick(list, rule, options_of(400, {nan, nan, 2.0}), world, Split::interleaved);
        const std::int64_t collectives = world.traffic().collectives - before;
        EXPECT_LE(batch.rounds, 12) << rule;
        EXPECT_LE(collectives, 200) << rule;  // less than one a pick
    }
}

}  // namespace
}  // namespace sluice::select
