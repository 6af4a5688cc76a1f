#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace sluice::pool {

/// What can be wrong with the values of one row, worst first. A row counts for the first that
/// holds.
enum class Problem {
    unreadable,      ///< its chunk is damaged
    non_finite,      ///< NaN or infinity
    beyond_float32,  ///< a float64 that float32 cannot hold
    negative,        ///< a negative probability
    all_zero,        ///< probabilities that are all zero
    bad_sum,         ///< probabilities that do not sum to 1 within sum_tolerance
    too_large,       ///< a squared distance to such a row overflows float32
    zero_norm,       ///< no direction: every square vanishes in float32
};
constexpr std::size_t num_problems = 8;

/// How far probabilities may be off 1; rounding 1,000 of them to float16 stays below.
constexpr double sum_tolerance = 1e-3;

/// What the rows of a dataset have to be.
struct RowRule {
    enum class Kind {
        finite,        ///< numbers
        features,      ///< numbers whose squared distances float32 can hold
        distributions  ///< groups of `group` probabilities that sum to 1 each
    } kind = Kind::finite;
    std::int64_t group = 1;
};

/// A problem and where in the row it shows: the element, or the first of a group, that has it.
struct RowProblem {
    Problem problem;
    std::int64_t element = 0;
};

/// What is wrong with one row, judged in float64; nothing if it keeps the rule.
std::optional<RowProblem> judge_row(const RowRule& rule, std::span<const double> row);

/// True only if all rows in `values` [rows, row_elements] keep the rule: a quick look with vector
/// instructions, never wrong when it says true. Where it says false, judge_row decides.
/// Costs a few percent of reading the values. Up to
/// `padding_elements` after `values` are looked at too: the caller's buffer must hold them (zeros).
constexpr std::size_t padding_elements = 8;
bool rows_look_clean(const RowRule& rule, std::span<const float> values, std::int64_t row_elements);

}  // namespace sluice::pool
