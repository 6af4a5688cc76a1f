#pragma once

#include "core/types.hpp"
#include "pool/made_kinds.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::pool {

/// How many models judge the rows of a made pool, and what they say.
struct CommitteeShape {
    std::int64_t members = 0;  ///< M
    std::int64_t outputs = 0;  ///< T of the regression members
};

/// Probabilities and predictions of a made pool. Each row's features are projected on a few
/// factors of unit variance; classes and members are fixed random functions of these, so that
/// nearby rows are judged alike and members agree more where the factors are small.
class MadeCommittee {
  public:
    /// Number of factors a row is reduced to.
    static constexpr std::int64_t num_factors = 8;

    MadeCommittee(const MadeShape& shape, const CommitteeShape& committee,
                  const FeatureMaker& features);

    /// Factors [rows, num_factors] of features [rows, dim].
    std::vector<float> factors(std::span<const float> features) const;

    /// Logits [rows, C] of the model that `probabilities` come from.
    void fill_logits(std::span<const float> factors, std::span<float> out) const;

    /// Logits [rows, M, C] of the members: the same model, each with weights a little off.
    void fill_member_logits(std::span<const float> factors, std::span<float> out) const;

    /// Regression predictions [rows, M, T]: smooth waves over the factors, each member's a little
    /// off in frequency.
    void fill_predictions(std::span<const float> factors, std::span<float> out) const;

  private:
    void aim_projection(std::span<const float> centers);
    void scale_projection(const FeatureMaker& features);

    MadeShape shape_;
    CommitteeShape committee_;
    std::vector<float> projection_;      // [dim, num_factors]
    std::vector<float> class_weights_;   // [num_factors, C]
    std::vector<float> member_weights_;  // [num_factors, M * C]
    std::vector<float> wave_weights_;    // [num_factors, M * T]
    std::vector<float> wave_phases_;     // [T]
};

/// Turns logits [rows, C] into probabilities in place; each row sums to 1 within 1e-6.
void softmax_rows(std::span<float> values, std::int64_t classes);

}  // namespace sluice::pool
