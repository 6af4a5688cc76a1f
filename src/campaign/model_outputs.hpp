#pragma once

#include "model/committee.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::campaign {

/// What a committee says of some rows, its members put together.
struct ModelOutputs {
    model::Task task = model::Task::classification;
    std::int64_t width = 0;          ///< C classes or T components
    std::vector<float> mean;         ///< [rows, width] members' mean probability or prediction
    std::vector<float> uncertainty;  ///< [rows] entropy of the mean over ln C, in [0, 1]; or the
                                     ///< members' standard deviation, the largest component; empty
                                     ///< if a single member has none

    std::int64_t rows() const { return width == 0 ? 0 : std::ssize(mean) / width; }

    /// The most probable class of each row, ties to the lower class. Classification only.
    std::vector<std::int32_t> classes() const;
};

/// Runs a committee on features [rows, D] on the CPU, in canonical arithmetic: the same bits on
/// every machine. `where` (the model's path) begins messages. Throws Error(bad_data) if D is not
/// what the model was made for.
ModelOutputs run_model(const model::Committee& committee, std::span<const float> features,
                       std::int64_t dim, const std::string& where);

}  // namespace sluice::campaign
