#pragma once

#include "kernels/score_rows.hpp"
#include "support/score_oracle.hpp"

#include <cmath>
#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

namespace sluice::kernels {

/// Rows of one input, with the values they hold.
struct Rows {
    std::vector<float> values;
    std::int64_t members = 1;
    std::int64_t classes = 0;
    ScoreInput input = ScoreInput::none;

    std::int64_t elements() const { return members * classes; }
    std::int64_t count() const { return static_cast<std::int64_t>(values.size()) / elements(); }
    ScoreBlock block() const { return {values.data(), {0, count()}, members, classes, input}; }

    /// One row as the oracle takes it.
    oracle::Row row(std::int64_t index) const {
        const auto begin = values.begin() + index * elements();
        return {begin, begin + elements()};
    }
    std::vector<oracle::Row> row_members(std::int64_t index) const {
        std::vector<oracle::Row> result;
        for (std::int64_t m = 0; m < members; ++m)
            result.push_back(oracle::member_of(row(index), static_cast<std::size_t>(m),
                                               static_cast<std::size_t>(classes)));
        return result;
    }
};

inline std::vector<float> scores_of(std::string_view name, const Rows& rows) {
    std::vector<float> scores(static_cast<std::size_t>(rows.count()));
    make_scorer(Backend::cpu, find_score(name), 1, 0)->score(rows.block(), scores);
    return scores;
}

/// `count` rows of logits, from nearly uniform to nearly certain.
inline Rows random_logits(std::int64_t count, std::int64_t members, std::int64_t classes,
                          unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<float> log_scale(-4.0F, 4.0F);
    Rows rows{
        {}, members, classes, members == 1 ? ScoreInput::logits : ScoreInput::committee_logits};
    for (std::int64_t row = 0; row < count; ++row) {
        const float scale = std::exp(log_scale(generator));
        for (std::int64_t e = 0; e < rows.elements(); ++e)
            rows.values.push_back(scale * normal(generator));
    }
    return rows;
}

/// `count` rows of predictions with variances: classes = 2 * components.
inline Rows random_gaussians(std::int64_t count, std::int64_t members, std::int64_t components,
                             unsigned seed) {
    Rows rows = random_logits(count, members, 2 * components, seed);
    rows.input = ScoreInput::gaussian_predictions;
    for (std::size_t i = 0; i < rows.values.size(); ++i)
        if (static_cast<std::int64_t>(i) % rows.classes >= components)
            rows.values[i] *= rows.values[i];
    return rows;
}

/// Softmax of random_logits, rounded to float32 as a user's file holds it.
inline Rows random_probabilities(std::int64_t count, std::int64_t members, std::int64_t classes,
                                 unsigned seed) {
    Rows rows = random_logits(count, members, classes, seed);
    for (std::size_t i = 0; i < rows.values.size(); i += static_cast<std::size_t>(classes)) {
        const auto begin = rows.values.begin() + static_cast<std::ptrdiff_t>(i);
        const oracle::Row p = oracle::softmax({begin, begin + classes});
        for (std::size_t c = 0; c < p.size(); ++c)
            rows.values[i + c] = static_cast<float>(p[c]);
    }
    rows.input = members == 1 ? ScoreInput::probabilities : ScoreInput::committee_probabilities;
    return rows;
}

}  // namespace sluice::kernels
