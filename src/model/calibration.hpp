#pragma once

#include "model/held_out.hpp"
#include "model/training_set.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sluice::model {

/// The logits of labels that some members of a committee have not seen.
struct HeldOutLogits {
    std::int64_t members = 0;           ///< M
    std::int64_t classes = 0;           ///< C
    std::vector<float> logits;          ///< [rows, M, C]
    std::vector<std::int32_t> truth;    ///< [rows]
    std::vector<std::uint8_t> counted;  ///< [rows, M] 1 = this member has not seen this label

    std::int64_t rows() const { return static_cast<std::int64_t>(truth.size()); }
};

HeldOutLogits logits_of(const TrainingSet& set, HeldOutOutputs held_out);

/// Labels below which no temperature is fitted: it would follow chance.
inline constexpr std::int64_t fewest_for_temperature = 20;

/// Mean over members of the softmax of logits / temperature, [rows, C].
std::vector<float> mean_probabilities(const HeldOutLogits& held_out, float temperature);

/// Mean negative log-likelihood of the truth under mean_probabilities().
double negative_log_likelihood(const HeldOutLogits& held_out, float temperature);

/// The temperature in [1/8, 8] that minimises the negative log-likelihood, by golden section over
/// its logarithm. So that a few labels, all of them right, do not make a committee certain, the
/// logarithm has a normal prior of mean 0 and deviation ln 2, which weighs as much as about one
/// label. \source Guo et al., "On Calibration of Modern Neural Networks", ICML 2017; the prior is
/// ours.
float fit_temperature(const HeldOutLogits& held_out);

/// The mean over rows of |accuracy - confidence| of the row's bin, in 15 bins of equal width;
/// confidence = the largest probability. \source Guo et al., equation 3.
double expected_calibration_error(std::span<const float> probabilities,
                                  std::span<const std::int32_t> truth, std::int64_t classes);

}  // namespace sluice::model
