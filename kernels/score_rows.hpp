#pragma once

#include "core/types.hpp"
#include "kernels/backend.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::kernels {

/// What a score reads of each row.
enum class ScoreInput {
    none,                     ///< nothing but the row number
    probabilities,            ///< [C], non-negative, summing to 1
    logits,                   ///< [C], any finite values; softmax is fused into the score
    committee_probabilities,  ///< [M,C], each member as `probabilities`
    committee_logits,         ///< [M,C], each member as `logits`
    predictions,              ///< [M,T], any finite values (regression)
    gaussian_predictions,     ///< [M,2T]: T predictions, then their T variances (>= 0)
    features,                 ///< [D], any finite values; for the scorer of a committee only
};

/// A block of consecutive rows in memory.
struct ScoreBlock {
    const float* values = nullptr;  ///< [rows, members, classes], row-major; null for `none`
    RowRange rows;                  ///< global numbers of these rows
    std::int64_t members = 1;       ///< M
    std::int64_t classes = 0;       ///< C, or T of predictions (2 T with variances), or D
    ScoreInput input = ScoreInput::none;
    /// The same as IEEE binary16, in place of `values`; for a Scorer that reads_halves() only.
    const std::uint16_t* halves = nullptr;

    std::int64_t row_elements() const { return members * classes; }
};

/// A probability row (or committee member) must sum to 1 within this, as in scikit-learn's users'
/// float32 files.
inline constexpr float sum_tolerance = 1e-3F;

/// What a score's name stands for; the registry behind `--score`, help, `check` and the tests.
struct ScoreDefinition {
    std::string name;
    std::vector<std::string> aliases;  ///< names other libraries use
    std::string summary;               ///< one line: formula and range
    std::vector<ScoreInput> inputs;    ///< what it can be computed from, best first
    std::int64_t min_members = 1;      ///< committee size it needs
    std::int64_t min_classes = 1;
};

/// Every score, in the order of kernels/scores/list.hpp (`random` first).
const std::vector<ScoreDefinition>& score_definitions();

/// The definition whose name or alias is `name`; throws Error(usage) naming the nearest one.
const ScoreDefinition& find_score(std::string_view name);

/// Computes one score; immutable, so any number of threads may call it.
class Scorer {
  public:
    virtual ~Scorer() = default;

    /// scores[i] = the score of row block.rows.begin + i, in canonical arithmetic: the same bits on
    /// every back end, instruction set and block size. A row that breaks its input's contract
    /// (non-finite value, negative probability, a sum off 1 by more than sum_tolerance) gets NaN;
    /// every other row a finite score. `scores` has block.rows.size() elements.
    virtual void score(const ScoreBlock& block, std::span<float> scores) const = 0;

    /// Whether it takes values as `halves`, with the bits that their widening would give.
    virtual bool reads_halves() const { return false; }
};

/// The scorer of `definition` on `backend`. `seed` and `round` key the `random` score.
std::unique_ptr<Scorer> make_scorer(Backend backend, const ScoreDefinition& definition,
                                    std::uint64_t seed, std::uint32_t round);

/// Why `row` of the block got NaN, for an error message: what is wrong, where in the row and the
/// value, as in "class 3 has probability -0.2 (must be >= 0)". Empty for a row that is in order; of
/// features that are finite, where it cannot tell, that the committee made nothing finite of them.
std::string describe_bad_row(const ScoreBlock& block, RowId row);

}  // namespace sluice::kernels
