#include "core/error.hpp"
#include "core/text.hpp"
#include "kernels/score_rows.hpp"
#include "kernels/scores/list.hpp"

#include <algorithm>

namespace sluice::kernels {

namespace {

template <class Score>
ScoreDefinition definition_of() {
    return {std::string(Score::name),    {Score::aliases.begin(), Score::aliases.end()},
            std::string(Score::summary), {Score::inputs.begin(), Score::inputs.end()},
            Score::min_members,          Score::min_classes};
}

template <class... Listed>
std::vector<ScoreDefinition> all_definitions(ScoreList<Listed...>) {
    return {{"random",
             {"uniform", "RANDOM"},
             "uniform in (0, 1), from the seed, the round and the row number",
             {ScoreInput::none},
             1,
             0},
            definition_of<Listed>()...};
}

bool is_called(const ScoreDefinition& definition, std::string_view name) {
    return definition.name == name ||
           std::find(definition.aliases.begin(), definition.aliases.end(), name) !=
               definition.aliases.end();
}

std::vector<std::string> all_names() {
    std::vector<std::string> names;
    for (const ScoreDefinition& definition : score_definitions()) {
        names.push_back(definition.name);
        names.insert(names.end(), definition.aliases.begin(), definition.aliases.end());
    }
    return names;
}

}  // namespace

const std::vector<ScoreDefinition>& score_definitions() {
    static const std::vector<ScoreDefinition> definitions = all_definitions(Scores());
    return definitions;
}

const ScoreDefinition& find_score(std::string_view name) {
    for (const ScoreDefinition& definition : score_definitions())
        if (is_called(definition, name)) return definition;
    const std::vector<std::string> names = all_names();
    const std::string nearest = nearest_name(name, names);
    std::string advice = "; use one of";
    for (const ScoreDefinition& definition : score_definitions())
        advice += (&definition == &score_definitions().front() ? " " : ", ") + definition.name;
    throw Error(ExitCode::usage, "--score: unknown score (" + printable(name) + ")" +
                                     (nearest.empty() ? "" : "; did you mean " + nearest + "?") +
                                     advice);
}

}  // namespace sluice::kernels
