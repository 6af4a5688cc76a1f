// The seam: names, bits that do not depend on how rows are scored, and rows that break contracts.
#include "core/error.hpp"
#include "kernels/aligned_floats.hpp"
#include "kernels/random_score.hpp"
#include "kernels/score_rows_cpu.hpp"
#include "kernels/scores/list.hpp"
#include "score_fixture.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string>

namespace sluice::kernels {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::vector<std::uint32_t> bits_of_all(const std::vector<float>& values) {
    std::vector<std::uint32_t> bits;
    for (const float value : values)
        bits.push_back(std::isnan(value) ? 0x7fc00000U : std::bit_cast<std::uint32_t>(value));
    return bits;
}

/// Rows for any input, some of them out of order.
Rows rows_of(ScoreInput input, std::int64_t count, std::int64_t members, std::int64_t classes) {
    const bool single = input == ScoreInput::probabilities || input == ScoreInput::logits;
    const bool is_probability =
        input == ScoreInput::probabilities || input == ScoreInput::committee_probabilities;
    const std::int64_t used = single ? 1 : members;
    Rows rows = is_probability ? random_probabilities(count, used, classes, 21)
                : input == ScoreInput::gaussian_predictions
                    ? random_gaussians(count, used, classes, 22)
                    : random_logits(count, used, classes, 22);
    rows.input = input;
    for (std::int64_t row = 3; row < count; row += 11)
        rows.values[static_cast<std::size_t>(row * rows.elements() + row % rows.elements())] = nan;
    return rows;
}

std::vector<float> scores_with(const InstructionSet& instructions, std::size_t index,
                               const Rows& rows) {
    AlignedFloats tile;
    const ScoreBlock block = rows.block();
    std::vector<float> scores(static_cast<std::size_t>(rows.count()));
    instructions.find(index, rows.input)(block, tile.reserve(tile_floats(instructions, block)),
                                         scores.data());
    return scores;
}

/// The functor itself, run in plain float on one row after another.
template <class Score, ScoreInput input>
std::vector<float> scores_in_float(const Rows& rows) {
    std::vector<float> scores;
    for (std::int64_t row = 0; row < rows.count(); ++row) {
        const auto begin = rows.values.begin() + row * rows.elements();
        std::vector<float> copy(static_cast<std::size_t>(
            rows.elements() + scratch_elements(rows.input, rows.members, rows.classes)));
        std::copy(begin, begin + rows.elements(), copy.begin());
        const RowView<float> view{copy.data(), 1, rows.members, rows.classes};
        scores.push_back(score_of<input>(Score(), view));
    }
    return scores;
}

template <class Score>
class EveryScore : public testing::Test {};

template <class List>
struct TypesOf;
template <class... Listed>
struct TypesOf<ScoreList<Listed...>> {
    using Types = testing::Types<Listed...>;
};
TYPED_TEST_SUITE(EveryScore, TypesOf<Scores>::Types);

template <class Score, class Check>
void for_every_shape(const Check& check) {
    for (const ScoreInput input : Score::inputs)
        for (const std::int64_t members : {2, 3})
            for (const std::int64_t classes : {2, 5, 32, 131})
                check(rows_of(input, 37, members, classes));
}

std::size_t index_of(std::string_view name) {
    const auto& definitions = score_definitions();
    std::size_t index = 1;
    while (definitions[index].name != name)
        ++index;
    return index - 1;
}

template <class Score, std::size_t which = 0>
std::vector<float> reference(const Rows& rows) {
    if constexpr (which < Score::inputs.size()) {
        if (rows.input == Score::inputs[which])
            return scores_in_float<Score, Score::inputs[which]>(rows);
        return reference<Score, which + 1>(rows);
    } else {
        return {};
    }
}

TYPED_TEST(EveryScore, has_the_same_bits_with_every_instruction_set) {
    for_every_shape<TypeParam>([](const Rows& rows) {
        const auto expected = bits_of_all(reference<TypeParam>(rows));
        for (const InstructionSet* instructions : usable_instructions())
            EXPECT_EQ(bits_of_all(scores_with(*instructions, index_of(TypeParam::name), rows)),
                      expected)
                << instructions->name << ", " << rows.members << " x " << rows.classes;
    });
}

TYPED_TEST(EveryScore, has_the_same_bits_in_blocks_of_any_size) {
    const Rows rows = rows_of(TypeParam::inputs[0], 70, 3, 6);
    const auto scorer = make_scorer(Backend::cpu, find_score(TypeParam::name), 1, 0);
    const auto expected = bits_of_all(scores_of(TypeParam::name, rows));
    for (const std::int64_t block_rows : {1, 2, 7, 16, 33, 70}) {
        std::vector<float> scores(70);
        for (std::int64_t begin = 0; begin < 70; begin += block_rows) {
            const RowRange range{begin, std::min<std::int64_t>(begin + block_rows, 70)};
            scorer->score({rows.values.data() + begin * rows.elements(), range, rows.members,
                           rows.classes, rows.input},
                          std::span(scores).subspan(static_cast<std::size_t>(begin),
                                                    static_cast<std::size_t>(range.size())));
        }
        EXPECT_EQ(bits_of_all(scores), expected) << block_rows;
    }
}

TYPED_TEST(EveryScore, a_bad_value_spoils_its_own_row_alone) {
    for (const ScoreInput input : TypeParam::inputs) {
        Rows rows = rows_of(input, 20, 2, 5);
        std::replace_if(
            rows.values.begin(), rows.values.end(), [](float x) { return std::isnan(x); }, 0.0F);
        if (input == ScoreInput::probabilities || input == ScoreInput::committee_probabilities) {
            Rows clean = random_probabilities(20, rows.members, 5, 23);
            rows.values = clean.values;
        }
        const auto clean = bits_of_all(scores_of(TypeParam::name, rows));
        for (const float score : scores_of(TypeParam::name, rows))
            EXPECT_TRUE(std::isfinite(score));
        for (const float bad : {nan, infinity, -infinity})
            for (std::int64_t e = 0; e < rows.elements(); ++e)
                for (const std::int64_t row : {0, 6, 19}) {
                    Rows broken = rows;
                    broken.values[static_cast<std::size_t>(row * rows.elements() + e)] = bad;
                    auto expected = clean;
                    expected[static_cast<std::size_t>(row)] = 0x7fc00000U;
                    EXPECT_EQ(bits_of_all(scores_of(TypeParam::name, broken)), expected)
                        << bad << " in row " << row << ", element " << e;
                    EXPECT_NE(describe_bad_row(broken.block(), row), "");
                }
    }
}

TEST(Scorer, follows_block_rows_not_addresses) {
    const auto random = make_scorer(Backend::cpu, find_score("random"), 5, 2);
    ScoreBlock block;
    block.rows = {100, 110};
    std::vector<float> scores(10);
    random->score(block, scores);
    for (std::size_t i = 0; i < scores.size(); ++i)
        EXPECT_EQ(scores[i], (RandomScore{5, 2}(static_cast<RowId>(100 + i))));
}

TEST(RandomScore, is_uniform_and_keyed) {
    const RandomScore random{1, 0};
    double sum = 0.0;
    double squares = 0.0;
    constexpr int count = 100000;
    for (RowId row = 0; row < count; ++row) {
        const auto value = static_cast<double>(random(row));
        ASSERT_GT(value, 0.0);
        ASSERT_LT(value, 1.0);
        sum += value;
        squares += value * value;
    }
    EXPECT_NEAR(sum / count, 0.5, 0.005);
    EXPECT_NEAR(squares / count, 1.0 / 3, 0.005);
    EXPECT_NE(random(7), (RandomScore{2, 0}(7)));
    EXPECT_NE(random(7), (RandomScore{1, 1}(7)));
    EXPECT_NE(random(7), random(RowId{7} + (RowId{1} << 32)));
}

TEST(FindScore, knows_names_and_aliases) {
    EXPECT_EQ(score_definitions().front().name, "random");
    EXPECT_EQ(find_score("entropy").name, "entropy");
    EXPECT_EQ(find_score("lc").name, "least_confidence");
    EXPECT_EQ(find_score("BreakingTies").name, "margin");
    EXPECT_EQ(find_score("entropy_sampling").name, "entropy");
    EXPECT_EQ(find_score("std").name, "committee_std");
    EXPECT_EQ(find_score("variation_ratios").name, "variation_ratio");
    EXPECT_EQ(find_score("ratio").name, "ratio");
    EXPECT_EQ(find_score("active_svm").name, "boundary");
    EXPECT_EQ(find_score("bald").min_members, 2);
}

TEST(FindScore, names_are_unique) {
    std::vector<std::string> names;
    for (const ScoreDefinition& definition : score_definitions()) {
        names.push_back(definition.name);
        names.insert(names.end(), definition.aliases.begin(), definition.aliases.end());
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
}

TEST(FindScore, suggests_the_nearest) {
    try {
        find_score("entorpy");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::usage);
        EXPECT_THAT(error.what(), testing::HasSubstr("did you mean entropy?"));
        EXPECT_THAT(error.what(), testing::HasSubstr("(entorpy)"));
    }
}

TEST(DescribeBadRow, says_what_is_wrong_and_where) {
    const Rows probabilities{
        {.5F, .5F, .2F, .9F, -.2F, 1.2F, nan, 1.0F}, 1, 2, ScoreInput::probabilities};
    const ScoreBlock block = probabilities.block();
    EXPECT_EQ(describe_bad_row(block, 0), "");
    EXPECT_EQ(describe_bad_row(block, 1),
              "probabilities sum to 1.0999999791383743 (must be 1 within 0.001)");
    EXPECT_EQ(describe_bad_row(block, 2), "class 0 has probability -0.2 (must be >= 0)");
    EXPECT_EQ(describe_bad_row(block, 3), "class 0 has probability nan (must be finite)");

    const Rows committee{{.5F, .5F, .5F, .6F}, 2, 2, ScoreInput::committee_probabilities};
    EXPECT_THAT(describe_bad_row(committee.block(), 0),
                testing::StartsWith("member 1's probabilities sum to 1.1"));
    const Rows logits{{1.0F, infinity}, 1, 2, ScoreInput::logits};
    EXPECT_EQ(describe_bad_row(logits.block(), 0), "class 1 has logit inf (must be finite)");
    const Rows predictions{{1.0F, 2.0F, 3.0F, nan}, 2, 2, ScoreInput::predictions};
    EXPECT_EQ(describe_bad_row(predictions.block(), 0),
              "member 1, component 1 has prediction nan (must be finite)");
}

TEST(DescribeBadRow, agrees_with_the_scores_at_the_tolerance) {
    Rows rows{{}, 1, 2, ScoreInput::probabilities};
    for (int i = -40; i <= 40; ++i)
        rows.values.insert(rows.values.end(), {0.5F, 0.501F + static_cast<float>(i) * 0x1p-24F});
    const auto scores = scores_of("entropy", rows);
    for (std::int64_t row = 0; row < rows.count(); ++row)
        EXPECT_EQ(std::isnan(scores[static_cast<std::size_t>(row)]),
                  !describe_bad_row(rows.block(), row).empty());
}

TEST(MinusZero, is_a_valid_probability) {
    const Rows rows{{1.0F, -0.0F, 0.0F, 1.0F}, 1, 2, ScoreInput::probabilities};
    for (const char* name : {"least_confidence", "margin", "ratio", "entropy"})
        for (const float score : scores_of(name, rows))
            EXPECT_EQ(score, 0.0F) << name;
}

}  // namespace
}  // namespace sluice::kernels
