#include "select/score_catalog.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

#include <algorithm>

namespace sluice::select {
namespace {

// Scores that are products of others: a line makes one.
std::vector<CatalogScore> products() {
    return {
        {.name = "expected_gradient_length",
         .aliases = {"egl", "expected_model_change"},
         .summary = "gradient_length * feature_norm: of the loss of a linear softmax head on the "
                    "features; >= 0",
         .factors = {"gradient_length", "feature_norm"}},
        {.name = "emcm",
         .aliases = {"expected_model_change_maximization"},
         .summary = "mean_deviation * feature_norm: expected change of a linear regression on the "
                    "features; >= 0",
         .factors = {"mean_deviation", "feature_norm"}},
    };
}

std::vector<CatalogScore> make_catalog() {
    std::vector<CatalogScore> catalog;
    for (const kernels::ScoreDefinition& score : kernels::score_definitions()) {
        catalog.push_back({score.name, score.aliases, score.summary, &score, nullptr});
    }
    for (const FeatureScoreDefinition& score : feature_score_definitions()) {
        catalog.push_back({score.name, score.aliases, score.summary, nullptr, &score});
    }
    const std::vector<CatalogScore> composed = products();
    catalog.insert(catalog.end(), composed.begin(), composed.end());
    return catalog;
}

}  // namespace

const std::vector<CatalogScore>& score_catalog() {
    static const std::vector<CatalogScore> catalog = make_catalog();
    return catalog;
}

const CatalogScore& find_catalog_score(std::string_view name) {
    std::vector<std::string> names;
    std::string all;
    for (const CatalogScore& score : score_catalog()) {
        if (score.name == name || std::count(score.aliases.begin(), score.aliases.end(), name) > 0)
            return score;
        names.push_back(score.name);
        names.insert(names.end(), score.aliases.begin(), score.aliases.end());
        all += (all.empty() ? " " : ", ") + score.name;
    }
    const std::string nearest = nearest_name(name, names);
    throw Error(ExitCode::usage, "--score: unknown score (" + printable(name) + ")" +
                                     (nearest.empty() ? "" : "; did you mean " + nearest + "?") +
                                     "; use one of" + all + ", column:NAME, cost");
}

}  // namespace sluice::select
