#include "core/text.hpp"
#include "kernels/half.hpp"
#include "kernels/row_statistics.hpp"
#include "kernels/score_rows.hpp"

#include <cmath>
#include <string>
#include <vector>

namespace sluice::kernels {

namespace {

bool is_variance(const ScoreBlock& block, std::int64_t column) {
    return block.input == ScoreInput::gaussian_predictions && column >= block.classes / 2;
}

const char* quantity(const ScoreBlock& block, std::int64_t column) {
    switch (block.input) {
        case ScoreInput::logits:
        case ScoreInput::committee_logits:
            return "logit";
        case ScoreInput::predictions:
            return "prediction";
        case ScoreInput::gaussian_predictions:
            return is_variance(block, column) ? "variance" : "prediction";
        default:
            return "probability";
    }
}

bool is_probability(ScoreInput input) {
    return input == ScoreInput::probabilities || input == ScoreInput::committee_probabilities;
}

/// "member 2, class 3", as far as the input has them.
std::string place(const ScoreBlock& block, std::int64_t member, std::int64_t column) {
    const bool has_members =
        block.input != ScoreInput::probabilities && block.input != ScoreInput::logits;
    const bool has_components =
        block.input == ScoreInput::predictions || block.input == ScoreInput::gaussian_predictions;
    const std::int64_t which =
        block.input == ScoreInput::gaussian_predictions ? column % (block.classes / 2) : column;
    return (has_members ? "member " + std::to_string(member) + ", " : "") +
           (has_components ? "component " : "class ") + std::to_string(which);
}

std::string describe_value(const ScoreBlock& block, std::int64_t member, std::int64_t column,
                           float value) {
    const std::string start =
        place(block, member, column) + " has " + quantity(block, column) + " " + number_text(value);
    if (!std::isfinite(value)) return start + " (must be finite)";
    if ((is_probability(block.input) || is_variance(block, column)) && value < 0.0F)
        return start + " (must be >= 0)";
    return "";
}

/// What the scores' own check says of a member's probabilities.
bool sums_to_one(const float* values, std::int64_t classes) {
    std::vector<float> copy(values, values + classes);
    return check_probabilities(RowView<float>{copy.data(), 1, 1, classes}, 0);
}

std::string describe_member(const ScoreBlock& block, std::int64_t member, const float* values) {
    double sum = 0.0;
    for (std::int64_t c = 0; c < block.classes; ++c) {
        const std::string wrong = describe_value(block, member, c, values[c]);
        if (!wrong.empty()) return wrong;
        sum += static_cast<double>(values[c]);
    }
    if (!is_probability(block.input) || sums_to_one(values, block.classes)) return "";
    const std::string whose = block.input == ScoreInput::committee_probabilities
                                  ? "member " + std::to_string(member) + "'s "
                                  : "";
    return whose + "probabilities sum to " + number_text(sum) + " (must be 1 within " +
           number_text(sum_tolerance) + ")";
}

std::vector<float> values_of_row(const ScoreBlock& block, std::int64_t index) {
    std::vector<float> values;
    for (std::int64_t e = index * block.row_elements(); e < (index + 1) * block.row_elements(); ++e)
        values.push_back(block.halves == nullptr ? block.values[e] : widened(block.halves[e]));
    return values;
}

/// A row of finite features gets NaN where the committee makes too much of it.
std::string describe_features(const float* values, std::int64_t dim) {
    for (std::int64_t k = 0; k < dim; ++k)
        if (!std::isfinite(values[k]))
            return "feature " + std::to_string(k) + " is " + number_text(values[k]) +
                   " (must be finite)";
    return "the committee says nothing finite of these features (too far from those it has "
           "learned?)";
}

}  // namespace

std::string describe_bad_row(const ScoreBlock& block, RowId row) {
    const std::vector<float> copy = values_of_row(block, row - block.rows.begin);
    const float* values = copy.data();
    if (block.input == ScoreInput::features) return describe_features(values, block.classes);
    for (std::int64_t m = 0; m < block.members; ++m) {
        const std::string wrong = describe_member(block, m, values + m * block.classes);
        if (!wrong.empty()) return wrong;
    }
    return "";
}

}  // namespace sluice::kernels
