#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::select {

/// A quantity of rows to the power of its strength.
struct ScoreFactor {
    std::size_t source = 0;  ///< index into ScoreExpression::sources
    double strength = 1.0;   ///< not 0
};

struct ScoreTerm {
    double weight = 1.0;  ///< > 0; < 0 where the lowest scores come first
    std::vector<ScoreFactor> factors;
};

/// What `--score` says: a sum of weighted products of quantities to the power of strengths, as in
/// `0.7*margin + 0.3*column:novelty^2`.
struct ScoreExpression {
    std::string text;                  ///< canonical: equal for equal meaning of names and numbers
    std::vector<std::string> sources;  ///< each once: a catalog name, "column:NAME", "cost" or
                                       ///< "similarity"
    std::vector<ScoreTerm> terms;

    /// Whether the score is one quantity as it is.
    bool is_plain() const;
};

/// Reads TERM [+ TERM...], TERM = FACTOR [* FACTOR | / FACTOR...], FACTOR = a positive number or
/// NAME[^STRENGTH]; NAME is a name or alias of the catalog, `column:NAME`, `cost` or `similarity`.
/// Throws
/// Error(usage) for what cannot be read, unknown names, weights that are not positive, and
/// strengths that are 0 or cancel.
ScoreExpression parse_score(std::string_view text);

/// The canonical text of a score; what parse_score throws.
std::string canonical_score(std::string_view text);

/// x to the power of `strength`, in float64 that is the same on every machine; NaN for 0 to a
/// negative power and for a negative x to a fractional one.
double power_of(double x, double strength);

/// scores[i] = the expression's value where source s of row i has sources[s][i]: products and sums
/// in float64 in the order written, rounded once. NaN where a source is, where a power is not
/// defined, and where the value is beyond float32.
void combine_scores(const ScoreExpression& expression, std::span<const float* const> sources,
                    std::span<float> scores);

}  // namespace sluice::select
