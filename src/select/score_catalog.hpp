#pragma once

#include "kernels/score_rows.hpp"
#include "select/feature_score.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sluice::select {

/// What a name of `--score` stands for: a score of kernels/scores/list.hpp, one of
/// feature_score_definitions(), or a product of such.
struct CatalogScore {
    std::string name;
    std::vector<std::string> aliases;
    std::string summary;  ///< one line: formula and range
    const kernels::ScoreDefinition* row_score = nullptr;
    const FeatureScoreDefinition* feature_score = nullptr;
    std::vector<std::string> factors = {};  ///< names of what is multiplied; empty: not a product
};

/// Every name that `--score` knows beside `column:NAME` and `cost`.
const std::vector<CatalogScore>& score_catalog();

/// The score whose name or alias is `name`; throws Error(usage) naming the nearest one.
const CatalogScore& find_catalog_score(std::string_view name);

}  // namespace sluice::select
