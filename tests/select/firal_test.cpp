#include "select/diversity/firal.hpp"

#include "select/firal_oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <numeric>

namespace sluice::select {
namespace {

using test::add_to;
using test::Case;
using test::expect_picks;
using test::firal_case;
using test::least_ratio;
using test::plain_round;
using test::random_case;
using test::Ratio;
using test::ratio_of;
using test::trace_of;
using test::trace_of_batch;
using test::trace_with;
using test::weighted;
using test::Weights;

// Mirror descent as the exact way does it, from dense inverses.
Weights plain_relax(const Ratio& ratio, double picks) {
    const std::size_t size = ratio.terms.size();
    Weights weights(size, 1.0 / static_cast<double>(size));
    const auto scaled = [&](Weights some) {
        for (double& weight : some)
            weight *= picks;
        return weighted(ratio, some);
    };
    const auto slopes_at = [&](const Weights& some) {
        const Matrix inverse = inverse_of(scaled(some));
        const Matrix slope = product(product(inverse, ratio.wanted), inverse);
        Weights slopes;
        for (const Matrix& term : ratio.terms)
            slopes.push_back(picks * trace_with(term, slope));
        return slopes;
    };
    double objective = trace_of(scaled(weights), ratio.wanted);
    Weights slopes = slopes_at(weights);
    double rate = 1.0;
    for (int step = 0; step < 200; ++step) {
        const double steepest = *std::max_element(slopes.begin(), slopes.end());
        const double mean = std::inner_product(weights.begin(), weights.end(), slopes.begin(), 0.0);
        if (steepest - mean <= 1e-3 * objective) break;
        Weights next = weights;
        for (std::size_t i = 0; i < size; ++i)
            next[i] *= std::exp(rate * (slopes[i] / steepest - 1.0));
        const double sum = std::accumulate(next.begin(), next.end(), 0.0);
        for (double& weight : next)
            weight /= sum;
        const double there = trace_of(scaled(next), ratio.wanted);
        if (there > objective) {
            rate *= 0.5;
            if (rate < 1e-6) break;
            continue;
        }
        weights = next;
        objective = there;
        slopes = slopes_at(weights);
        rate = std::min(600.0, 2.0 * rate);
    }
    return weights;
}

TEST(Firal, relaxation_is_as_low_as_it_says) {
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        Case one = random_case(pool);
        one.request.rule = "firal";
        one.request.num_picks = 5;

        const DiverseBatch batch = test::run_rule(one.list, one.request, test::Split::interleaved);

        double objective = 0.0;
        double gap = 0.0;
        ASSERT_EQ(std::sscanf(batch.note.c_str(), "firal: relaxed tr(S^-1 F) %lf, at most %lf",
                              &objective, &gap),
                  2);
        const double least = least_ratio(ratio_of(one), 5.0);
        EXPECT_LE(objective - gap, least * (1.0 + 1e-5));
        EXPECT_LE(objective, least * 1.01);
        EXPECT_LE(gap, objective * 0.02);
    }
}

TEST(Firal, rounds_to_a_better_batch_than_chance) {
    int better = 0;
    for (unsigned pool = 0; pool < 20; ++pool) {
        Case one = random_case(pool);
        one.request.rule = "firal";
        one.request.num_picks = 5;
        const Ratio ratio = ratio_of(one);
        const DiverseBatch batch = test::run_rule(one.list, one.request, test::Split::contiguous);
        std::vector<double> chosen(ratio.terms.size(), 0.0);
        for (const DiversePick& pick : batch.picks)
            chosen[static_cast<std::size_t>(one.list.position(pick.row))] = 1.0;
        const double value = trace_of(weighted(ratio, chosen), ratio.wanted);
        // No batch is below the relaxation.
        EXPECT_GE(value, least_ratio(ratio, 5.0) * 0.99);
        std::mt19937 generator(pool);
        double by_chance = 0.0;
        for (int draw = 0; draw < 50; ++draw) {
            std::vector<double> some(ratio.terms.size(), 0.0);
            for (int pick = 0; pick < 5; ++pick)
                some[static_cast<std::size_t>(pick)] = 1.0;
            std::shuffle(some.begin(), some.end(), generator);
            by_chance += trace_of(weighted(ratio, some), ratio.wanted) / 50;
        }
        better += value < by_chance ? 1 : 0;
    }
    EXPECT_GE(better, 17);
}

// One pick has no past: B = sqrt(n) S + rate known, and the row is that with least tr(B'^-1 S).
TEST(Firal, first_pick_by_definition_where_the_weights_are_known) {
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        Case one = random_case(pool);
        one.request.rule = "firal";
        one.request.num_picks = one.list.size();  // and all rows alike
        for (std::int64_t i = 0; i < one.list.size(); ++i) {
            std::copy_n(one.list.at(0), one.list.dim, one.list.features.begin() + i * one.list.dim);
            const std::int64_t floats = one.request.members * one.request.classes;
            std::copy_n(one.request.member_says.begin(), floats,
                        one.request.member_says.begin() + i * floats);
        }
        const Ratio ratio = ratio_of(one);
        const Matrix spread = weighted(ratio, std::vector<double>(ratio.terms.size(), 1.0));
        const double root = std::sqrt(static_cast<double>(spread.rows));
        Matrix leader(spread.rows, spread.rows);
        add_to(leader, spread, root);
        add_to(leader, ratio.known, 8.0 * root / static_cast<double>(one.list.size()));
        const double before = trace_of(leader, spread);
        add_to(leader, ratio.terms[0], 8.0 * root);
        const double fall = before - trace_of(leader, spread);

        const DiverseBatch batch = test::run_rule(one.list, one.request, test::Split::contiguous);

        EXPECT_EQ(batch.picks.front().row, one.list.row(0));
        EXPECT_NEAR(batch.picks.front().value, fall, 1e-5 * fall + 1e-9);
    }
}

TEST(Firal, all_picks_by_dense_inverses) {
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        const Case one = firal_case(pool, 5);
        const Ratio ratio = ratio_of(one);
        std::vector<std::vector<Matrix>> terms;
        for (const Matrix& term : ratio.terms)
            terms.push_back({term});

        const DiverseBatch batch = test::run_rule(one.list, one.request, test::Split::interleaved);

        expect_picks(one, batch.picks,
                     plain_round(terms, {ratio.known}, plain_relax(ratio, 5.0), 5));
    }
}

// Of all batches of 3 of 12 rows.
TEST(Firal, rounding_is_close_to_the_best_batch_there_is) {
    double worst = 1.0;
    double mean = 0.0;
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        Case one = firal_case(pool, 3);
        one.list.features.resize(static_cast<std::size_t>(12 * one.list.dim));
        one.list.scores.resize(12);
        one.request.member_says.resize(
            static_cast<std::size_t>(12 * one.request.members * one.request.classes));
        const Ratio ratio = ratio_of(one);
        double best = std::numeric_limits<double>::infinity();
        for (unsigned mask = 0; mask < 1U << 12; ++mask) {
            if (__builtin_popcount(mask) != 3) continue;
            Weights chosen(12, 0.0);
            for (unsigned i = 0; i < 12; ++i)
                chosen[i] = (mask >> i & 1U) != 0 ? 1.0 : 0.0;
            best = std::min(best, trace_of(weighted(ratio, chosen), ratio.wanted));
        }
        const DiverseBatch batch = test::run_rule(one.list, one.request, test::Split::contiguous);
        const double own = trace_of_batch(one, ratio, batch) / best;
        EXPECT_GE(own, 1.0 - 1e-9);
        worst = std::max(worst, own);
        mean += own / 20;
    }
    EXPECT_LT(worst, 1.1);
    EXPECT_LT(mean, 1.02);
}

}  // namespace
}  // namespace sluice::select
