#pragma once

#include "kernels/committee_network.hpp"
#include "kernels/score_rows.hpp"
#include "model/committee.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::model {

/// What a committee says of some rows, its members put together.
struct ModelOutputs {
    Task task = Task::classification;
    std::int64_t width = 0;          ///< C classes or T components
    std::vector<float> mean;         ///< [rows, width] members' mean probability or prediction
    std::vector<float> uncertainty;  ///< [rows] entropy of the mean over ln C, in [0, 1]; or the
                                     ///< members' standard deviation, the largest component; empty
                                     ///< if a single member has none

    std::int64_t rows() const { return width == 0 ? 0 : std::ssize(mean) / width; }

    /// The most probable class of each row, ties to the lower class. Classification only.
    std::vector<std::int32_t> classes() const;
};

/// What the members of a committee say of some rows, as scores read it from a pool: probabilities
/// or logits [rows, M, C], or predictions [rows, M, T].
struct MemberOutputs {
    kernels::ScoreInput input = kernels::ScoreInput::none;
    std::int64_t members = 1;  ///< M
    std::int64_t width = 0;    ///< C or T
    std::span<const float> values;
};

/// Puts them together, in canonical arithmetic.
ModelOutputs outputs_of(const MemberOutputs& said);

/// What a network that is ready to run says of features [rows, D]; `width` = C or T, without
/// variances.
ModelOutputs outputs_of(const kernels::CommitteeNetwork& network, Task task, std::int64_t width,
                        std::span<const float> features);

/// Runs a committee on features [rows, D] on the CPU, in canonical arithmetic: the same bits on
/// every machine. `where` (the model's path) begins messages. Throws Error(bad_data) if D is not
/// what the model was made for.
ModelOutputs run_model(const Committee& committee, std::span<const float> features,
                       std::int64_t dim, const std::string& where);

}  // namespace sluice::model
