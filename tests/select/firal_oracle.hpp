#pragma once

#include "select/fisher_cases.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

/// FIRAL's rounding once more: an inverse of dense float64 matrices for every question.
namespace sluice::test {

using Weights = std::vector<double>;

inline Case firal_case(unsigned pool, std::int64_t picks) {
    Case one = random_case(pool);
    one.request.rule = "firal";
    one.request.num_picks = picks;
    return one;
}

inline double trace_of_batch(const Case& one, const Ratio& ratio,
                             const select::DiverseBatch& batch) {
    Weights chosen(ratio.terms.size(), 0.0);
    for (const select::DiversePick& pick : batch.picks)
        chosen[static_cast<std::size_t>(one.list.position(pick.row))] = 1.0;
    return trace_of(weighted(ratio, chosen), ratio.wanted);
}

// The shift with sum over blocks of tr(B^-1 S B^-1 S) = 1, B = rate taken + shift S, from dense
// inverses.
inline double plain_shift(const std::vector<Matrix>& spreads, const std::vector<Matrix>& taken,
                          double rate, double last) {
    const auto is_above = [&](double shift) {
        double sum = 0.0;
        for (std::size_t c = 0; c < spreads.size(); ++c) {
            Matrix leader(spreads[c].rows, spreads[c].rows);
            add_to(leader, taken[c], rate);
            add_to(leader, spreads[c], shift);
            Matrix positive = leader;
            if (!select::factorize(positive)) return false;
            const Matrix one = select::product(select::inverse_of(leader), spreads[c]);
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
inline std::vector<select::DiversePick> plain_round(const std::vector<std::vector<Matrix>>& terms,
                                                    const std::vector<Matrix>& known,
                                                    const Weights& weights,
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
    std::vector<select::DiversePick> picks;
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

inline void expect_picks(const Case& one, const std::vector<select::DiversePick>& ours,
                         const std::vector<select::DiversePick>& expected) {
    ASSERT_EQ(ours.size(), expected.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
        EXPECT_EQ(one.list.position(ours[i].row), expected[i].row) << i;
        EXPECT_NEAR(ours[i].value, expected[i].value, 1e-4F * std::fabs(expected[i].value)) << i;
    }
}

}  // namespace sluice::test
