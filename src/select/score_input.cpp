#include "select/score_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace sluice::select {
namespace {

using kernels::ScoreInput;

bool takes(const kernels::ScoreDefinition& score, ScoreInput input) {
    return std::count(score.inputs.begin(), score.inputs.end(), input) > 0;
}

std::vector<std::string> roles_of(const kernels::ScoreDefinition& score) {
    std::vector<std::string> roles;
    if (takes(score, ScoreInput::probabilities) || takes(score, ScoreInput::logits))
        roles.emplace_back("probabilities");
    if (takes(score, ScoreInput::committee_probabilities) ||
        takes(score, ScoreInput::committee_logits)) {
        roles.emplace_back("committee");
    }
    if (takes(score, ScoreInput::predictions)) roles.emplace_back("predictions");
    return roles;
}

std::string joined(const std::vector<std::string>& words, const std::string& separator) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : separator) + word;
    return text;
}

// What the score needs, against the dataset's kind and shape; no reason if it fits.
void check_dataset(const pool::Dataset& dataset, const kernels::ScoreDefinition& score,
                   InputChoice& choice) {
    const bool committee = dataset.role != "probabilities";
    const std::int64_t members = committee ? dataset.row_shape.front() : 1;
    const std::int64_t classes = dataset.row_elements() / std::max<std::int64_t>(members, 1);
    const std::string where =
        (dataset.parts.empty() ? std::string("pool") : dataset.parts.front().path) + ": " +
        dataset.path;
    if (!takes(score, choice.input)) {
        choice.code = ExitCode::bad_data;
        choice.reason = fmt::format(
            "{}: holds probabilities, but score '{}' reads logits (attribute kind = \"logit\")",
            where, score.name);
    } else if (members < score.min_members) {
        choice.code = ExitCode::usage;
        choice.reason = fmt::format(
            "{}: {} member(s), but score '{}' measures disagreement and needs at least {}", where,
            members, score.name, score.min_members);
    } else if (classes < score.min_classes) {
        choice.code = ExitCode::bad_data;
        choice.reason = fmt::format("{}: {} class(es), but score '{}' needs at least {}", where,
                                    classes, score.name, score.min_classes);
    }
}

// A committee's outputs against what the score needs; no reason if it fits.
std::string misfit(const kernels::CommitteeNetwork& network, const kernels::ScoreDefinition& score,
                   const std::string& where) {
    if (!takes(score, network.output())) {
        const bool regression = network.output() == ScoreInput::predictions ||
                                network.output() == ScoreInput::gaussian_predictions;
        return fmt::format("{}: score '{}' cannot be computed from what this {} model says", where,
                           score.name, regression ? "regression" : "classification");
    }
    if (network.members() < score.min_members) {
        return fmt::format(
            "{}: {} member(s), but score '{}' measures disagreement and needs at least {}", where,
            network.members(), score.name, score.min_members);
    }
    if (network.outputs() < score.min_classes) {
        return fmt::format("{}: {} class(es), but score '{}' needs at least {}", where,
                           network.outputs(), score.name, score.min_classes);
    }
    return {};
}

// Throws what keeps the score from being computed.
[[noreturn]] void refuse_input(const pool::Pool& pool, const kernels::ScoreDefinition& score,
                               const InputChoice& choice) {
    const std::vector<std::string> roles = roles_of(score);
    const bool any = std::any_of(roles.begin(), roles.end(), [&](const std::string& role) {
        return pool.find(role) != nullptr;
    });
    if (!any && !roles.empty())
        static_cast<void>(pool.get(roles.front(), "score '" + score.name + "'"));
    throw Error(choice.code, choice.reason + "; choose another --score or --input");
}

}  // namespace

ScoreInput input_of(const pool::Dataset& dataset) {
    if (dataset.role == "predictions") return ScoreInput::predictions;
    if (dataset.role == "committee") {
        return dataset.is_logit() ? ScoreInput::committee_logits
                                  : ScoreInput::committee_probabilities;
    }
    return dataset.is_logit() ? ScoreInput::logits : ScoreInput::probabilities;
}

InputChoice choose_input(const pool::Pool& pool, const kernels::ScoreDefinition& score,
                         const std::string& wanted) {
    InputChoice choice;
    if (takes(score, ScoreInput::none)) return choice;
    std::vector<std::string> roles = roles_of(score);
    if (roles.empty()) {
        choice.code = ExitCode::usage;
        choice.reason = "score '" + score.name + "' reads what only a model says; give --model";
        return choice;
    }
    if (wanted != "auto") {
        if (std::count(roles.begin(), roles.end(), wanted) == 0) {
            choice.code = ExitCode::usage;
            choice.reason = "--input: score '" + score.name + "' cannot be computed from '" +
                            wanted + "', it reads " + joined(roles, " or ");
            return choice;
        }
        roles = {wanted};
    }
    for (const std::string& role : roles) {
        const pool::Dataset* dataset = pool.find(role);
        if (dataset == nullptr) continue;
        choice.reason.clear();
        choice.input = input_of(*dataset);
        check_dataset(*dataset, score, choice);
        if (!choice.reason.empty()) continue;
        choice.role = role;
        return choice;
    }
    choice.input = ScoreInput::none;
    if (choice.reason.empty()) choice.reason = "no dataset " + joined(roles, " or ");
    return choice;
}

InputChoice require_input(const pool::Pool& pool, const kernels::ScoreDefinition& score,
                          const std::string& wanted) {
    InputChoice choice = choose_input(pool, score, wanted);
    if (!choice.reason.empty()) refuse_input(pool, score, choice);
    return choice;
}

const pool::Dataset& network_features(const pool::Pool& pool,
                                      const kernels::CommitteeNetwork& network,
                                      const std::string& where) {
    const pool::Dataset& features = pool.get("features", "--model");
    require(features.row_elements() == network.dim(), ExitCode::bad_data,
            fmt::format("{}: the model reads {} features, but {} has {}; give the model that was "
                        "trained for this pool",
                        where, network.dim(), pool::location_text(features, 0),
                        features.row_elements()));
    return features;
}

InputChoice require_network_input(const pool::Pool& pool, const kernels::ScoreDefinition& score,
                                  const kernels::CommitteeNetwork& network,
                                  const std::string& where) {
    if (takes(score, ScoreInput::none)) return {};
    static_cast<void>(network_features(pool, network, where));
    const std::string reason = misfit(network, score, where);
    require(reason.empty(), ExitCode::usage, reason + "; choose another --score");
    InputChoice choice;
    choice.input = ScoreInput::features;
    choice.role = "features";
    return choice;
}

}  // namespace sluice::select
