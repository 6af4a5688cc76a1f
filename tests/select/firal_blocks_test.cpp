#include "select/diversity/firal.hpp"
#include "select/diversity/firal_relax.hpp"
#include "select/diversity/symmetric_eigenvalues.hpp"
#include "select/firal_oracle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

namespace sluice::select {
namespace {

using test::add_to;
using test::Case;
using test::expect_picks;
using test::firal_case;
using test::least_ratio;
using test::plain_round;
using test::Ratio;
using test::ratio_of;
using test::trace_of;
using test::trace_of_batch;
using test::weighted;
using test::Weights;

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

TEST(FiralByBlocks, one_answer_over_ranks_and_threads) {
    for (unsigned pool = 0; pool < 3; ++pool) {
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
    for (unsigned pool = 0; pool < 8; ++pool) {
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
        mean += own / least / 8;
    }
    EXPECT_LT(mean, 1.005);
}

TEST(FiralByBlocks, rounds_as_dense_blocks_do) {
    for (unsigned pool = 0; pool < 8; ++pool) {
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
    for (unsigned pool = 0; pool < 8; ++pool) {
        const Case one = firal_case(pool, 5);
        const Ratio ratio = ratio_of(one);
        const double least = least_ratio(ratio, 5.0);
        exact += trace_of_batch(one, ratio,
                                test::run_rule(one.list, one.request, test::Split::contiguous)) /
                 least / 8;
        blocks += trace_of_batch(one, ratio, by_blocks(one, test::Split::contiguous)) / least / 8;
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
