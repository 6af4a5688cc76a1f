#include "core/error.hpp"
#include "select/diversity/fisher.hpp"
#include "select/run_rule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <random>

namespace sluice::select {
namespace {

// Dense [n, n] float64, as the definitions have it.
Matrix information_of(const float* x, std::int64_t dim, const std::vector<double>& p) {
    const auto classes = std::ssize(p);
    Matrix result(dim * classes, dim * classes);
    for (std::int64_t d = 0; d < dim; ++d)
        for (std::int64_t c = 0; c < classes; ++c)
            for (std::int64_t e = 0; e < dim; ++e)
                for (std::int64_t f = 0; f < classes; ++f) {
                    const double left = p[static_cast<std::size_t>(c)];
                    const double right = p[static_cast<std::size_t>(f)];
                    result.row(d * classes + c)[e * classes + f] =
                        static_cast<double>(x[d]) * static_cast<double>(x[e]) *
                        ((c == f ? left : 0.0) - left * right);
                }
    return result;
}

void add_to(Matrix& sum, const Matrix& term, double weight = 1.0) {
    for (std::size_t i = 0; i < sum.values.size(); ++i)
        sum.values[i] += weight * term.values[i];
}

double trace_of(const Matrix& information, const Matrix& error) {
    const Matrix both = product(inverse_of(information), error);
    double trace = 0.0;
    for (std::int64_t i = 0; i < both.rows; ++i)
        trace += both.row(i)[i];
    return trace;
}

struct Case {
    test::WholeShortlist list;
    test::RuleRequest request;
};

std::vector<float> random_says(std::int64_t rows, std::int64_t members, std::int64_t classes,
                               std::mt19937& generator) {
    std::gamma_distribution<float> gamma(1.0F);
    std::vector<float> says;
    for (std::int64_t i = 0; i < rows * members; ++i) {
        std::vector<float> p;
        float sum = 0.0F;
        for (std::int64_t c = 0; c < classes; ++c) {
            p.push_back(gamma(generator) + 0.01F);
            sum += p.back();
        }
        for (const float value : p)
            says.push_back(value / sum);
    }
    return says;
}

Case random_case(unsigned seed) {
    std::mt19937 generator(seed);
    Case result{test::clustered(24, 2 + seed % 2, seed), {"bait_classes", 3}};
    result.request.members = 1 + seed % 3;
    result.request.classes = 2 + seed % 3;
    result.request.parameters.sigma = seed % 2 == 0 ? 1.0 : 0.3;
    result.request.member_says =
        random_says(result.list.size(), result.request.members, result.request.classes, generator);
    if (seed % 4 != 0) {
        result.request.centers = {result.list.features.begin(),
                                  result.list.features.begin() + 4 * result.list.dim};
        result.request.center_says =
            random_says(4, result.request.members, result.request.classes, generator);
    }
    return result;
}

std::vector<double> mean_of(const std::vector<float>& says, std::int64_t row,
                            const test::RuleRequest& request) {
    const auto floats = static_cast<std::size_t>(request.members * request.classes);
    return mean_probabilities(
        std::span(says).subspan(static_cast<std::size_t>(row) * floats, floats), request.members);
}

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

// What FIRAL optimises, from dense matrices.
struct Ratio {
    std::vector<Matrix> terms;  // of the rows
    Matrix known;
    Matrix wanted;
};

Ratio ratio_of(const Case& one) {
    const test::WholeShortlist& list = one.list;
    const std::int64_t size = list.dim * one.request.classes;
    Ratio ratio{{}, Matrix(size, size), Matrix(size, size)};
    for (std::int64_t i = 0; i < list.size(); ++i) {
        ratio.terms.push_back(
            information_of(list.at(i), list.dim, mean_of(one.request.member_says, i, one.request)));
        add_to(ratio.wanted, ratio.terms.back(), 1.0 / static_cast<double>(list.size()));
    }
    for (std::int64_t i = 0; i < std::ssize(one.request.centers) / list.dim; ++i) {
        add_to(ratio.known, information_of(one.request.centers.data() + i * list.dim, list.dim,
                                           mean_of(one.request.center_says, i, one.request)));
    }
    const double sigma = one.request.parameters.sigma;
    for (std::int64_t i = 0; i < size; ++i)
        ratio.known.row(i)[i] += sigma * sigma;
    return ratio;
}

Matrix weighted(const Ratio& ratio, const std::vector<double>& weights) {
    Matrix sum = ratio.known;
    for (std::size_t i = 0; i < weights.size(); ++i)
        add_to(sum, ratio.terms[i], weights[i]);
    return sum;
}

double trace_with(const Matrix& a, const Matrix& b) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < a.rows; ++i)
        for (std::int64_t k = 0; k < a.rows; ++k)
            sum += a.row(i)[k] * b.row(k)[i];
    return sum;
}

// Least trace over the simplex times `picks`, by Frank and Wolfe's steps with exact line searches
// on a grid: another way than the rule's.
double least_ratio(const Ratio& ratio, double picks) {
    std::vector<double> weights(ratio.terms.size(),
                                picks / static_cast<double>(ratio.terms.size()));
    double best = trace_of(weighted(ratio, weights), ratio.wanted);
    for (int step = 0; step < 80; ++step) {
        const Matrix inverse = inverse_of(weighted(ratio, weights));
        const Matrix slope = product(product(inverse, ratio.wanted), inverse);
        std::size_t steepest = 0;
        double most = -1.0;
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const double one = trace_with(ratio.terms[i], slope);
            if (one > most) most = one, steepest = i;
        }
        std::vector<double> kept = weights;
        for (const double part : {0.3, 0.1, 0.03, 0.01, 0.003, 0.001}) {
            std::vector<double> there = weights;
            for (double& weight : there)
                weight *= 1.0 - part;
            there[steepest] += part * picks;
            const double value = trace_of(weighted(ratio, there), ratio.wanted);
            if (value < best) best = value, kept = there;
        }
        weights = kept;
    }
    return best;
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

TEST(Firal, refuses_what_is_too_much) {
    DiversitySizes sizes;
    sizes.dim = 100;
    sizes.classes = 10;
    sizes.shortlist_rows = 100;
    EXPECT_THROW(find_diversity("firal").forecast(sizes), Error);
}

}  // namespace
}  // namespace sluice::select
