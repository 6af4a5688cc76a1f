#pragma once

#include "core/error.hpp"
#include "kernels/committee_network.hpp"
#include "kernels/score_rows.hpp"
#include "pool/pool.hpp"

#include <string>

namespace sluice::select {

/// What scores read in a dataset of the roles probabilities, committee and predictions.
kernels::ScoreInput input_of(const pool::Dataset& dataset);

/// Which dataset and input a score would read of this pool; empty role with `reason` filled when
/// the pool does not allow the score. `wanted` is auto or a role.
struct InputChoice {
    kernels::ScoreInput input = kernels::ScoreInput::none;
    std::string role;
    std::string reason;                  ///< why not; empty when allowed
    ExitCode code = ExitCode::bad_data;  ///< of the error that `reason` makes
};
InputChoice choose_input(const pool::Pool& pool, const kernels::ScoreDefinition& score,
                         const std::string& wanted);

/// choose_input, or what keeps the score from being computed as an Error.
InputChoice require_input(const pool::Pool& pool, const kernels::ScoreDefinition& score,
                          const std::string& wanted);

/// The features that a committee reads. Throws Error(bad_data) if the pool has none or of another
/// width than the model at path `where` reads.
const pool::Dataset& network_features(const pool::Pool& pool,
                                      const kernels::CommitteeNetwork& network,
                                      const std::string& where);

/// The input when a committee speaks for the pool's features: the features, or none for a score
/// that reads nothing. Throws as network_features, and Error(usage) if the score cannot be computed
/// from what the committee says.
InputChoice require_network_input(const pool::Pool& pool, const kernels::ScoreDefinition& score,
                                  const kernels::CommitteeNetwork& network,
                                  const std::string& where);

}  // namespace sluice::select
