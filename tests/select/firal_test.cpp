#include "select/diversity/firal.hpp"

#include "pool/made_precise.hpp"
#include "select/diversity/firal_relax.hpp"
#include "select/diversity/firal_round.hpp"
#include "select/diversity/symmetric_eigenvalues.hpp"
#include "select/fisher_cases.hpp"

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
using test::least_ratio;
using test::random_case;
using test::Ratio;
using test::ratio_of;
using test::trace_of;
using test::trace_with;
using test::weighted;
using Weights = std::vector<double>;

Case firal_case(unsigned pool, std::int64_t picks) {
    Case one = random_case(pool);
    one.request.rule = "firal";
    one.request.num_picks = picks;
    return one;
}

double trace_of_batch(const Case& one, const Ratio& ratio, const DiverseBatch& batch) {
    Weights chosen(ratio.terms.size(), 0.0);
    for (const DiversePick& pick : batch.picks)
        chosen[static_cast<std::size_t>(one.list.position(pick.row))] = 1.0;
    return trace_of(weighted(ratio, chosen), ratio.wanted);
}

DiverseBatch by_blocks(const Case& one, test::Split split) {
    return test::run_with(one.list, one.request, split, [](const auto& share, const auto& options) {
        return firal_by_blocks(share, options, test::world());
    });
}

FiralRules rules_of(const Case& one) {
    FiralRules rules;
    rules.num_picks = one.request.num_picks;
    rules.squared_sigma = one.request.parameters.sigma * one.request.parameters.sigma;
    rules.seed = one.request.seed;
    return rules;
}

// A function of the rows of a case, dealt out over the ranks.
template <typename Use>
auto with_rows(const Case& one, const Use& use) {
    return test::run_with(
        one.list, one.request, test::Split::interleaved,
        [&](const auto& share, const auto&) { return use(FisherRows(share, 2, test::world())); });
}

// The shift with sum over blocks of tr(B^-1 S B^-1 S) = 1, B = rate taken + shift S, from dense
// inverses.
double plain_shift(const std::vector<Matrix>& spreads, const std::vector<Matrix>& taken,
                   double rate, double last) {
    const auto is_above = [&](double shift) {
        double sum = 0.0;
        for (std::size_t c = 0; c < spreads.size(); ++c) {
            Matrix leader(spreads[c].rows, spreads[c].rows);
            add_to(leader, taken[c], rate);
            add_to(leader, spreads[c], shift);
            Matrix positive = leader;
            if (!factorize(positive)) return false;
            const Matrix one = product(inverse_of(leader), spreads[c]);
            sum += trace_with(one, one);
        }
        return sum <= 1.0;
    };
    double low = last - 1.0;
    while (is_above(low))
        low = last - 2.0 * (last - low);
    double high = last;
    for (int halving = 0; halving < 70; ++halving) {
        const double middle = 0.5 * (low + high);
        (is_above(middle) ? high : low) = middle;
    }
    return high;
}

// Follows the regularised leader with an inverse for every question. `terms` [rows][blocks].
std::vector<DiversePick> plain_round(const std::vector<std::vector<Matrix>>& terms,
                                     const std::vector<Matrix>& known, const Weights& weights,
                                     std::int64_t num_picks) {
    std::vector<Matrix> spreads = known;
    std::vector<Matrix> taken;
    double parameters = 0.0;
    for (std::size_t c = 0; c < known.size(); ++c) {
        taken.emplace_back(known[c].rows, known[c].rows);
        parameters += static_cast<double>(known[c].rows);
        for (std::size_t i = 0; i < terms.size(); ++i)
            add_to(spreads[c], terms[i][c], static_cast<double>(num_picks) * weights[i]);
    }
    const double rate = 8.0 * std::sqrt(parameters);
    double shift = std::sqrt(parameters);
    std::vector<DiversePick> picks;
    std::vector<std::size_t> left(terms.size());
    std::iota(left.begin(), left.end(), std::size_t{0});
    while (std::ssize(picks) < num_picks) {
        const auto trace_with_row = [&](const std::vector<Matrix>* row) {
            double sum = 0.0;
            for (std::size_t c = 0; c < known.size(); ++c) {
                Matrix leader(known[c].rows, known[c].rows);
                add_to(leader, taken[c], rate);
                add_to(leader, spreads[c], shift);
                if (row != nullptr) add_to(leader, (*row)[c], rate);
                sum += trace_of(leader, spreads[c]);
            }
            return sum;
        };
        for (std::size_t c = 0; c < known.size(); ++c)
            add_to(taken[c], known[c], 1.0 / static_cast<double>(num_picks));
        const double before = trace_with_row(nullptr);
        std::size_t best = left.front();
        double most = -1.0;
        for (const std::size_t i : left) {
            const double fall = before - trace_with_row(&terms[i]);
            if (fall > most) most = fall, best = i;
        }
        picks.push_back({static_cast<RowId>(best), static_cast<float>(most)});
        std::erase(left, best);
        for (std::size_t c = 0; c < known.size(); ++c)
            add_to(taken[c], terms[best][c]);
        shift = plain_shift(spreads, taken, rate, shift);
    }
    return picks;
}

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

void expect_picks(const Case& one, const std::vector<DiversePick>& ours,
                  const std::vector<DiversePick>& expected) {
    ASSERT_EQ(ours.size(), expected.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
        EXPECT_EQ(one.list.position(ours[i].row), expected[i].row) << i;
        EXPECT_NEAR(ours[i].value, expected[i].value, 1e-4F * std::fabs(expected[i].value)) << i;
    }
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

TEST(FiralByBlocks, one_answer_over_ranks_and_threads) {
    for (unsigned pool = 0; pool < 6; ++pool) {
        SCOPED_TRACE(pool);
        Case one = firal_case(pool, 6);
        const DiverseBatch alone = by_blocks(one, test::Split::last_rank);
        EXPECT_EQ(alone.picks.size(), 6);
        one.request.num_threads = 2;
        for (const test::Split split : {test::Split::contiguous, test::Split::interleaved}) {
            const DiverseBatch shared = by_blocks(one, split);
            EXPECT_EQ(test::rows_of(shared), test::rows_of(alone));
            EXPECT_EQ(test::values_of(shared), test::values_of(alone));
            EXPECT_EQ(shared.note, alone.note);
        }
    }
}

TEST(FiralByBlocks, relaxes_nearly_as_far_as_dense_matrices) {
    double mean = 0.0;
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        const Case one = firal_case(pool, 5);
        const RelaxedWeights relaxed = with_rows(one, [&](const FisherRows& rows) {
            return relax_firal(rows, rules_of(one), test::world());
        });
        EXPECT_NEAR(std::accumulate(relaxed.weights.begin(), relaxed.weights.end(), 0.0), 1.0,
                    1e-12);
        const Ratio ratio = ratio_of(one);
        Weights scaled = relaxed.weights;
        for (double& weight : scaled)
            weight *= 5.0;
        const double own = trace_of(weighted(ratio, scaled), ratio.wanted);
        const double least = least_ratio(ratio, 5.0);
        EXPECT_LE(own, 1.02 * least);
        EXPECT_NEAR(relaxed.objective, own, 0.15 * own);
        mean += own / least / 20;
    }
    EXPECT_LT(mean, 1.005);
}

TEST(FiralByBlocks, rounds_as_dense_blocks_do) {
    for (unsigned pool = 0; pool < 20; ++pool) {
        SCOPED_TRACE(pool);
        const Case one = firal_case(pool, 5);
        const Weights weights = with_rows(one, [&](const FisherRows& rows) {
            return relax_firal(rows, rules_of(one), test::world()).weights;
        });
        const auto blocks_of = [&](const float* x, const std::vector<double>& p) {
            std::vector<Matrix> blocks;
            for (const double own : p) {
                blocks.push_back(test::information_of(x, one.list.dim, {1.0}));  // 1 - 1: all 0
                for (std::int64_t d = 0; d < one.list.dim; ++d)
                    for (std::int64_t e = 0; e < one.list.dim; ++e)
                        blocks.back().row(d)[e] = own * (1.0 - own) * double(x[d]) * double(x[e]);
            }
            return blocks;
        };
        std::vector<std::vector<Matrix>> terms;
        for (std::int64_t i = 0; i < one.list.size(); ++i)
            terms.push_back(
                blocks_of(one.list.at(i), test::mean_of(one.request.member_says, i, one.request)));
        std::vector<Matrix> known;
        for (std::int64_t c = 0; c < one.request.classes; ++c) {
            known.emplace_back(one.list.dim, one.list.dim);
            for (std::int64_t d = 0; d < one.list.dim; ++d)
                known.back().row(d)[d] = rules_of(one).squared_sigma;
        }
        for (std::int64_t i = 0; i < std::ssize(one.request.centers) / one.list.dim; ++i) {
            const auto own = blocks_of(one.request.centers.data() + i * one.list.dim,
                                       test::mean_of(one.request.center_says, i, one.request));
            for (std::size_t c = 0; c < known.size(); ++c)
                add_to(known[c], own[c]);
        }

        const DiverseBatch batch = by_blocks(one, test::Split::interleaved);

        expect_picks(one, batch.picks, plain_round(terms, known, weights, 5));
    }
}

TEST(FiralByBlocks, batches_are_nearly_as_good_as_the_exact_ones) {
    double exact = 0.0;
    double blocks = 0.0;
    for (unsigned pool = 0; pool < 20; ++pool) {
        const Case one = firal_case(pool, 5);
        const Ratio ratio = ratio_of(one);
        const double least = least_ratio(ratio, 5.0);
        exact += trace_of_batch(one, ratio,
                                test::run_rule(one.list, one.request, test::Split::contiguous)) /
                 least / 20;
        blocks += trace_of_batch(one, ratio, by_blocks(one, test::Split::contiguous)) / least / 20;
    }
    EXPECT_LT(blocks, 1.02 * exact);
}

TEST(FiralByBlocks, is_what_large_layers_get) {
    EXPECT_TRUE(firal_is_exact(4096, 64, 4));
    EXPECT_FALSE(firal_is_exact(4097, 64, 4));
    EXPECT_FALSE(firal_is_exact(100, 65, 4));
    DiversitySizes sizes;
    sizes.dim = 256;
    sizes.classes = 10;
    sizes.shortlist_rows = 5000;
    sizes.share_rows = 5000;
    sizes.num_picks = 100;
    EXPECT_GT(find_diversity("firal").forecast(sizes).memory_bytes, 0);
    sizes.dim = 100'000;
    EXPECT_THROW(find_diversity("firal").forecast(sizes), Error);
}

// Q diag(values) Q^T with Q a product of reflections.
TEST(SymmetricEigenvalues, of_turned_diagonals) {
    std::mt19937 generator(4);
    std::normal_distribution<double> normal;
    for (const std::int64_t size : {1, 2, 3, 10, 40}) {
        SCOPED_TRACE(size);
        Matrix matrix(size, size);
        Weights values;
        for (std::int64_t i = 0; i < size; ++i) {
            values.push_back(i % 4 == 3 ? values.back() : normal(generator));  // some twice
            matrix.row(i)[i] = values.back();
        }
        for (int turn = 0; turn < 3; ++turn) {
            Matrix mirror(size, size);
            Weights v(static_cast<std::size_t>(size));
            double square = 0.0;
            for (double& x : v) {
                x = normal(generator);
                square += x * x;
            }
            for (std::int64_t i = 0; i < size; ++i)
                for (std::int64_t k = 0; k < size; ++k)
                    mirror.row(i)[k] = (i == k ? 1.0 : 0.0) - 2.0 / square *
                                                                  v[static_cast<std::size_t>(i)] *
                                                                  v[static_cast<std::size_t>(k)];
            matrix = product(product(mirror, matrix), mirror);
        }
        Weights own = symmetric_eigenvalues(matrix);
        std::sort(own.begin(), own.end());
        std::sort(values.begin(), values.end());
        for (std::size_t i = 0; i < own.size(); ++i)
            EXPECT_NEAR(own[i], values[i], 1e-13 * static_cast<double>(size)) << i;
    }
}

}  // namespace
}  // namespace sluice::select
