#pragma once

#include "core/types.hpp"
#include "kernels/committee_network.hpp"
#include "pool/pool.hpp"
#include "select/plan.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sluice::select {

/// Whether it is class probabilities, or logits of such.
bool speaks_of_classes(kernels::ScoreInput input);

/// Whether it is logits.
bool is_logit(kernels::ScoreInput input);

/// Softmax of each `classes` of the values, in canonical arithmetic.
void softmax(std::span<float> values, std::int64_t classes);

/// Where a diversity rule finds the class probabilities of a committee's members.
struct MemberSource {
    const pool::Dataset* dataset = nullptr;  ///< committee or probabilities; features for a model
    bool is_model = false;
    bool is_logit = false;
    std::int64_t members = 1;
    std::int64_t classes = 0;
};

/// What the plan's model says, else the pool's committee, else its probabilities. Throws
/// Error(bad_data) if none speaks of classes; `needed_by` completes the message.
MemberSource find_members(const pool::Pool& pool, const Plan& plan, const std::string& needed_by);

/// [rows, M, C] probabilities that the members of a classification committee give rows of
/// `features` [rows, D]; of NaN for a row that it cannot judge.
std::vector<float> model_probabilities(const kernels::CommitteeNetwork& network,
                                       std::span<const float> features);

/// [rows, M, C] probabilities from what the source's dataset holds of the rows; not finite where
/// that is not.
std::vector<float> member_probabilities(const MemberSource& source, const Plan& plan,
                                        std::vector<float> values);

/// [rows, M, C] probabilities of the rows (ascending), softmax of logits in canonical arithmetic;
/// throws Error(bad_data) naming a row whose values are no numbers. Local.
std::vector<float> read_members(const MemberSource& source, const Plan& plan,
                                std::span<const RowId> rows);

}  // namespace sluice::select
