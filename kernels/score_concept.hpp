#pragma once

#include "kernels/committee_view.hpp"
#include "kernels/score_rows.hpp"

#include <array>
#include <cstdint>
#include <string_view>

namespace sluice::kernels {

/// The inputs of a score of class probabilities, best first.
inline constexpr std::array class_inputs = {ScoreInput::probabilities, ScoreInput::logits,
                                            ScoreInput::committee_probabilities,
                                            ScoreInput::committee_logits};

/// A score functor describes itself; what it computes it says by the members that `score_of` calls
/// for its inputs: of_probabilities(RowView), of_logits(RowView), of_committee(committee view),
/// of_committee_logits(RowView) in its place where softmax first would cost digits,
/// of_predictions(RowView) and of_gaussian_predictions(RowView), each a template over the lane
/// type, pure, higher = label first.
template <class Score>
concept RowScore = requires {
    { Score::name } -> std::convertible_to<std::string_view>;
    { Score::aliases[0] } -> std::convertible_to<std::string_view>;
    { Score::summary } -> std::convertible_to<std::string_view>;
    { Score::inputs[0] } -> std::convertible_to<ScoreInput>;
    { Score::min_members } -> std::convertible_to<std::int64_t>;
    { Score::min_classes } -> std::convertible_to<std::int64_t>;
};

template <class Score>
constexpr bool reads_input(ScoreInput input) {
    for (const ScoreInput known : Score::inputs)
        if (known == input) return true;
    return false;
}

/// The score of the row (or of each lane's row), NaN where it breaks its input's contract.
template <ScoreInput input, class Score, class Value>
SLUICE_LANE Value score_of(const Score& score, const RowView<Value>& row) {
    if constexpr (input == ScoreInput::probabilities) {
        return score.of_probabilities(row);
    } else if constexpr (input == ScoreInput::logits) {
        return score.of_logits(row);
    } else if constexpr (input == ScoreInput::committee_probabilities) {
        const CommitteeProbabilities<Value> committee{row};
        const auto valid = committee.prepare();
        return nan_unless(valid, score.of_committee(committee));
    } else if constexpr (input == ScoreInput::committee_logits &&
                         requires { score.of_committee_logits(row); }) {
        return score.of_committee_logits(row);
    } else if constexpr (input == ScoreInput::committee_logits) {
        const CommitteeSoftmax<Value> committee{row};
        const auto valid = committee.prepare();
        return nan_unless(valid, score.of_committee(committee));
    } else if constexpr (input == ScoreInput::predictions) {
        return score.of_predictions(row);
    } else {
        static_assert(input == ScoreInput::gaussian_predictions);
        return score.of_gaussian_predictions(row);
    }
}

}  // namespace sluice::kernels
