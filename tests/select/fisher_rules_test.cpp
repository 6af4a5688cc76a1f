#include "core/error.hpp"
#include "select/diversity/fisher.hpp"
#include "select/fisher_cases.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>

namespace sluice::select {
namespace {

using test::add_to;
using test::Case;
using test::information_of;
using test::mean_of;
using test::random_case;
using test::trace_of;

// Forward 2 B, then back to B, with a fresh inverse for every question.
std::vector<RowId> plain_bait(const Case& one) {
    const test::WholeShortlist& list = one.list;
    std::vector<Matrix> terms;
    const std::int64_t size = list.dim * one.request.classes;
    Matrix error(size, size);
    Matrix known(size, size);
    for (std::int64_t i = 0; i < list.size(); ++i) {
        terms.push_back(
            information_of(list.at(i), list.dim, mean_of(one.request.member_says, i, one.request)));
        add_to(error, terms.back());
    }
    for (std::int64_t i = 0; i < std::ssize(one.request.centers) / list.dim; ++i) {
        const Matrix term = information_of(one.request.centers.data() + i * list.dim, list.dim,
                                           mean_of(one.request.center_says, i, one.request));
        add_to(error, term);
        add_to(known, term);
    }
    const double sigma = one.request.parameters.sigma;
    for (std::int64_t i = 0; i < size; ++i)
        known.row(i)[i] += sigma * sigma;
    std::vector<std::int64_t> picks;
    const auto choose = [&](double sign, const std::vector<std::int64_t>& from) {
        std::int64_t best = -1;
        double least = 0.0;
        for (const std::int64_t i : from) {
            Matrix with = known;
            add_to(with, terms[static_cast<std::size_t>(i)], sign);
            const double trace = trace_of(with, error);
            if (best < 0 || trace < least) best = i, least = trace;
        }
        add_to(known, terms[static_cast<std::size_t>(best)], sign);
        return best;
    };
    while (std::ssize(picks) < 2 * one.request.num_picks) {
        std::vector<std::int64_t> left;
        for (std::int64_t i = 0; i < list.size(); ++i) {
            if (std::count(picks.begin(), picks.end(), i) == 0) left.push_back(i);
        }
        picks.push_back(choose(1.0, left));
    }
    while (std::ssize(picks) > one.request.num_picks)
        std::erase(picks, choose(-1.0, picks));
    std::vector<RowId> rows;
    for (const std::int64_t i : picks)
        rows.push_back(list.row(i));
    return rows;
}

TEST(Fisher, root_times_root_is_the_information_of_the_classes) {
    const std::vector<double> p = {0.2, 0.5, 0.3, 0.0};
    const std::vector<double> root = class_root(p);
    for (std::size_t i = 0; i < 4; ++i) {
        for (std::size_t j = 0; j < 4; ++j) {
            double sum = 0.0;
            for (std::size_t k = 0; k < 4; ++k)
                sum += root[i * 4 + k] * root[j * 4 + k];
            EXPECT_NEAR(sum, (i == j ? p[i] : 0.0) - p[i] * p[j], 1e-15);
        }
    }
}

TEST(BaitClasses, agrees_with_fresh_inverses_on_random_pools) {
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        const Case one = random_case(pool);

        const DiverseBatch batch = test::run_rule(one.list, one.request, test::Split::interleaved);

        EXPECT_EQ(test::rows_of(batch), plain_bait(one));
        for (const DiversePick& pick : batch.picks)
            EXPECT_GT(pick.value, 0.0F);
    }
}

TEST(BaitClasses, says_so_if_labeled_rows_are_beyond_float64) {
    Case one = random_case(5);
    for (float& value : one.request.centers)
        value *= 1e8F;
    one.request.parameters.sigma = 1e-3;
    EXPECT_THROW(test::run_rule(one.list, one.request, test::Split::contiguous), Error);
}

TEST(BaitClasses, refuses_a_layer_of_too_many_parameters) {
    DiversitySizes sizes;
    sizes.dim = 200;
    sizes.classes = 10;
    EXPECT_THROW(find_diversity("bait_classes").forecast(sizes), Error);
}

}  // namespace
}  // namespace sluice::select
