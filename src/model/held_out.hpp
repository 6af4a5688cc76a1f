#pragma once

#include "model/train.hpp"
#include "model/training_set.hpp"

#include <cstdint>
#include <vector>

namespace sluice::model {

/// What the members of a committee say of labels that some of them have not seen.
struct HeldOutOutputs {
    std::int64_t members = 0;           ///< M
    std::int64_t outputs = 0;           ///< C, T, or with variances 2 T
    std::vector<std::int64_t> entries;  ///< of the training set
    std::vector<float> said;            ///< [entries, M, outputs]
    std::vector<std::uint8_t> counted;  ///< [entries, M] 1 = this member has not seen this label

    std::int64_t rows() const { return static_cast<std::int64_t>(entries.size()); }
};

/// `committee` was trained on `set` with `options`.
HeldOutOutputs held_out_outputs(const TrainingSet& set, const TrainOptions& options,
                                const Committee& committee);

/// How right a committee's mean is on labels that the members it is taken over have not seen.
struct HeldOutQuality {
    std::int64_t rows = 0;
    double accuracy = 0.0;            ///< classification: share of right classes
    std::vector<double> mean_errors;  ///< [T] regression: root mean square, in the targets' units
};

HeldOutQuality held_out_quality(const TrainingSet& set, const TrainOptions& options,
                                const Committee& committee);

}  // namespace sluice::model
