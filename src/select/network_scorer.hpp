#pragma once

#include "kernels/backend.hpp"
#include "kernels/committee_network.hpp"
#include "kernels/score_rows.hpp"
#include "select/score_expression.hpp"

#include <memory>

namespace sluice::select {

/// The scorer of an expression of what a committee says of features: reads features as the scorer
/// of a committee does. A row gets NaN where one of its quantities has none, or the expression has
/// no value. Throws Error(usage) for an expression that reads no model, or something of a pool (a
/// column, the cost, a score that is prepared from rows), and for a score that the committee does
/// not allow.
std::unique_ptr<kernels::Scorer> make_network_scorer(
    const ScoreExpression& expression, std::shared_ptr<const kernels::CommitteeNetwork> network,
    kernels::Backend backend);

}  // namespace sluice::select
