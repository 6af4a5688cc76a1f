#include "select/score_expression.hpp"

#include "select/score_catalog.hpp"
#include "support/expect_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace sluice::select {
namespace {

std::vector<float> combined(const std::string& text,
                            const std::vector<std::vector<float>>& sources) {
    const ScoreExpression expression = parse_score(text);
    EXPECT_EQ(expression.sources.size(), sources.size());
    std::vector<const float*> values;
    for (const std::vector<float>& source : sources)
        values.push_back(source.data());
    std::vector<float> scores(sources.front().size());
    combine_scores(expression, values, scores);
    return scores;
}

TEST(ParseScore, a_name_alone_is_plain) {
    for (const char* text :
         {"entropy", " entropy ", "1*entropy", "entropy^1", "PredictionEntropy", "2*entropy/2"}) {
        EXPECT_TRUE(parse_score(text).is_plain()) << text;
        EXPECT_EQ(canonical_score(text), "entropy") << text;
    }
    EXPECT_TRUE(parse_score("column:a-b.c").is_plain());
    EXPECT_FALSE(parse_score("2*entropy").is_plain());
    EXPECT_FALSE(parse_score("entropy^2").is_plain());
    EXPECT_FALSE(parse_score("egl").is_plain());
}

TEST(ParseScore, equal_meanings_have_one_text) {
    EXPECT_EQ(canonical_score("lc^2*column:x"), "least_confidence^2*column:x");
    EXPECT_EQ(canonical_score("0.70*margin+0.3 * column:x"), "0.7*margin + 0.3*column:x");
    EXPECT_EQ(canonical_score("column:loss / column:length"), "column:loss*column:length^-1");
    EXPECT_EQ(canonical_score("entropy*entropy^0.5"), "entropy^1.5");
    EXPECT_EQ(canonical_score("egl"), "expected_gradient_length");
    EXPECT_EQ(canonical_score("1e+2*margin"), "100*margin");
}

TEST(ParseScore, products_are_taken_apart_and_each_source_is_listed_once) {
    const ScoreExpression expression = parse_score("egl^2 + 3*feature_norm*cost^-0.5");
    EXPECT_EQ(expression.sources,
              (std::vector<std::string>{"gradient_length", "feature_norm", "cost"}));
    ASSERT_EQ(expression.terms.size(), 2U);
    EXPECT_EQ(expression.terms[0].factors[1].strength, 2.0);
    EXPECT_EQ(expression.terms[1].weight, 3.0);
    EXPECT_EQ(expression.terms[1].factors[0].source, 1U);
    EXPECT_EQ(expression.terms[1].factors[1].strength, -0.5);
}

TEST(ParseScore, says_what_is_wrong) {
    const std::pair<const char*, const char*> wrong[] = {
        {"entropy*entropy^-1", "the strengths of 'entropy' cancel"},
        {"column:x/column:x", "the strengths of 'column:x' cancel"},
        {"entropy^0", "a strength of 0"},
        {"0*entropy + margin", "a weight of 0"},
        {"-1*margin", "positive weights"},
        {"margin - entropy", "positive weights"},
        {"margin*-2", "positive weights"},
        {"0.5", "a weight alone"},
        {"margin + 2", "a weight alone"},
        {"margin +", "expected the name"},
        {"", "expected the name"},
        {"margin**2", "expected the name"},
        {"margin entropy", "expected + , * , / or ^"},
        {"2 margin", "a weight alone"},
        {"(margin)", "expected the name"},
        {"margin^x", "expected a number"},
        {"margin^inf", "expected a number"},
        {"column:", "lacks the column's name"},
        {"1e300*1e300*margin", "a weight beyond"},
        {"entorpy + margin", "did you mean entropy?"},
    };
    for (const auto& [text, part] : wrong) {
        SCOPED_TRACE(text);
        test::expect_error(ExitCode::usage, part, [&] { parse_score(text); });
    }
}

TEST(Catalog, knows_each_name_once) {
    std::vector<std::string> names = {"cost"};
    for (const CatalogScore& score : score_catalog()) {
        names.push_back(score.name);
        names.insert(names.end(), score.aliases.begin(), score.aliases.end());
        EXPECT_EQ(canonical_score(score.name), score.name);
        EXPECT_FALSE(score.summary.empty());
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

// LightlyOne's documentation of combined strategies: the second row wins.
TEST(CombineScores, published_product) {
    const auto scores =
        combined("column:a*column:b", {{21.0F, 20.8F, 20.5F}, {10.3F, 10.8F, 10.9F}});
    EXPECT_NEAR(scores[0], 216.30, 1e-4);
    EXPECT_NEAR(scores[1], 224.64, 1e-4);
    EXPECT_NEAR(scores[2], 223.45, 1e-4);
}

TEST(CombineScores, agree_with_float64) {
    std::mt19937 generator(71);
    std::uniform_real_distribution<float> uniform(0.0F, 30.0F);
    std::vector<std::vector<float>> sources(3, std::vector<float>(500));
    for (auto& source : sources)
        for (float& value : source)
            value = uniform(generator) + 1e-6F;
    const auto scores =
        combined("0.7*column:a^1.7*column:b^-0.3 + 2*column:c^0.5 + column:a*column:b^3", sources);
    for (std::size_t i = 0; i < scores.size(); ++i) {
        const auto a = static_cast<double>(sources[0][i]);
        const auto b = static_cast<double>(sources[1][i]);
        const auto c = static_cast<double>(sources[2][i]);
        const double expected =
            0.7 * std::pow(a, 1.7) * std::pow(b, -0.3) + 2 * std::sqrt(c) + a * b * b * b;
        EXPECT_EQ(scores[i], static_cast<float>(expected)) << i;
    }
}

TEST(CombineScores, what_has_no_value_is_nan) {
    constexpr float nan = std::numeric_limits<float>::quiet_NaN();
    const auto ratio = combined("column:a/column:b", {{1, 0, 5, nan, 3e38F}, {2, 2, 0, 1, 1e-3F}});
    EXPECT_EQ(ratio[0], 0.5F);
    EXPECT_EQ(ratio[1], 0.0F);
    for (const std::size_t row : {2, 3, 4})
        EXPECT_TRUE(std::isnan(ratio[row])) << row;
    const auto power = combined("column:a^1.5 + column:b^3", {{4, 0, -1}, {-2, 0, 1}});
    EXPECT_EQ(power[0], 0.0F);
    EXPECT_EQ(power[1], 0.0F);
    EXPECT_TRUE(std::isnan(power[2]));
}

TEST(PowerOf, agrees_with_the_library) {
    std::mt19937 generator(72);
    std::uniform_real_distribution<double> exponent(-126.0, 127.0);
    std::uniform_real_distribution<double> strength(-4.0, 4.0);
    for (int i = 0; i < 20000; ++i) {
        const double x = std::exp2(exponent(generator));
        const double s = strength(generator);
        const double expected = std::pow(x, s);
        EXPECT_NEAR(power_of(x, s), expected, 1e-13 * expected) << x << " ^ " << s;
    }
}

TEST(PowerOf, whole_powers_keep_signs) {
    EXPECT_NEAR(power_of(-2.0, 3.0), -8.0, 1e-13);
    EXPECT_NEAR(power_of(-2.0, 4.0), 16.0, 1e-13);
    EXPECT_EQ(power_of(-2.0, -1.0), -0.5);
    EXPECT_TRUE(std::isnan(power_of(-2.0, 0.5)));
    EXPECT_TRUE(std::isnan(power_of(0.0, -2.0)));
    EXPECT_EQ(power_of(0.0, 0.3), 0.0);
}

}  // namespace
}  // namespace sluice::select
