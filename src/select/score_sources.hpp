#pragma once

#include "pool/pool.hpp"
#include "select/plan.hpp"
#include "select/score_catalog.hpp"

#include <string>
#include <vector>

namespace sluice::select {

/// What each quantity of plan.score is computed from: of plan.network, if there is one, what its
/// members say of the features. Throws Error(usage) or Error(bad_data) for what pool or model do
/// not allow.
std::vector<ScoreSource> choose_sources(const pool::Pool& pool, const Plan& plan,
                                        const PlanRequest& request);

/// What a pool has for one score of the catalog: "reads probabilities", or why it has not. For
/// `check`.
struct ScoreVerdict {
    bool is_possible = false;
    std::string text;
};
ScoreVerdict judge_score(const pool::Pool& pool, const CatalogScore& score);

}  // namespace sluice::select
