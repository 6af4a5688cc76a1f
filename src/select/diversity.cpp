#include "select/diversity.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "select/diversity/rules.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::select {
namespace {

DiversityDefinition none() {
    DiversityDefinition rule;
    rule.name = "none";
    rule.aliases = {"top", "topk", "top_b"};
    rule.summary = "the B best by score";
    return rule;
}

bool takes(const DiversityDefinition& rule, const std::string& parameter) {
    return (" " + rule.parameters + " ").find(" " + parameter + " ") != std::string::npos;
}

void check_parameter(const DiversityDefinition& rule, const std::string& name, double value,
                     double least) {
    if (std::isnan(value)) return;
    require(takes(rule, name), ExitCode::usage,
            "--" + name + ": --diversify " + rule.name + " does not use it; leave it out");
    require(std::isfinite(value) && value >= least, ExitCode::usage,
            "--" + name + ": " + number_text(value) + " is out of range; give a finite number " +
                (least > 0.0 ? "> 0" : ">= 0"));
}

}  // namespace

float distance_of(float squared, Metric metric) {
    return metric == Metric::cosine ? squared * 0.5F : std::sqrt(squared);
}

const std::vector<DiversityDefinition>& diversity_definitions() {
    static const std::vector<DiversityDefinition> definitions = {
        none(),
        k_center_rule(),
        kmeanspp_rule(),
        badge_rule(),
        maxdet_rule(),
        max_diag_rule(),
        lcmd_rule(),
        facility_location_rule(),
        gist_rule(),
        prob_cover_rule(),
        graph_cut_rule(),
        usdm_rule(),
        bait_rule(),
        bait_forward_rule(),
        batchbald_rule(),
        bait_classes_rule(),
        firal_rule(),
        error_reduction_rule(),
        kmeans_rule(),
        typiclust_rule(),
        cluster_margin_rule(),
    };
    return definitions;
}

const DiversityDefinition& find_diversity(std::string_view name) {
    std::vector<std::string> names;
    std::string all;
    for (const DiversityDefinition& definition : diversity_definitions()) {
        if (definition.name == name ||
            std::count(definition.aliases.begin(), definition.aliases.end(), name) > 0) {
            return definition;
        }
        names.push_back(definition.name);
        names.insert(names.end(), definition.aliases.begin(), definition.aliases.end());
        all += (all.empty() ? "" : ", ") + definition.name;
    }
    const std::string nearest = nearest_name(name, names);
    throw Error(ExitCode::usage,
                "--diversify: unknown rule '" + std::string(name) + "'; " +
                    (nearest.empty() ? "choose one of " + all : "did you mean " + nearest + "?"));
}

void check_parameters(const DiversityDefinition& rule, const DiversityParameters& parameters) {
    constexpr double least_positive = std::numeric_limits<double>::min();
    check_parameter(rule, "strength", parameters.strength, 0.0);
    check_parameter(rule, "sigma", parameters.sigma, least_positive);
    check_parameter(rule, "radius", parameters.radius, least_positive);
}

}  // namespace sluice::select
